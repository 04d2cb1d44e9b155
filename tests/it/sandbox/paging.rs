use super::{Answer, Instance, column};

async fn link(instance: &Instance, query: &str) -> (Answer, String) {
    let answer = instance.get(&format!("/api/now/table/incident?{query}")).await;
    let link =
        answer.header("link").replace(&format!("{}/api/now/table/incident", instance.base), "");
    (answer, link)
}

#[tokio::test]
async fn the_first_page_has_a_prev_with_a_negative_offset_and_no_blanks() {
    let instance = Instance::start().await;
    let (answer, link) = link(&instance, "sysparm_limit=4").await;
    assert_eq!(
        link,
        "<?sysparm_limit=4&sysparm_offset=0>;rel=\"first\",<?sysparm_limit=4&sysparm_offset=-4>;rel=\"prev\",\
         <?sysparm_limit=4&sysparm_offset=4>;rel=\"next\",<?sysparm_limit=4&sysparm_offset=8>;rel=\"last\""
    );
    assert_eq!(answer.header("x-total-count"), "10");
    assert_eq!(answer.result().as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn the_last_page_has_no_next_and_other_parameters_are_echoed_encoded() {
    let instance = Instance::start().await;
    let query = "sysparm_query=active%3Dtrue%5EORDERBYnumber&sysparm_offset=4&sysparm_limit=4";
    let (answer, link) = link(&instance, query).await;
    assert!(!link.contains("next"), "{link}");
    let same = "sysparm_query=active%3Dtrue%5EORDERBYnumber&sysparm_limit=4";
    assert!(link.ends_with(&format!("<?{same}&sysparm_offset=4>;rel=\"last\"")), "{link}");
    assert_eq!(answer.result().as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn following_next_reads_every_record_once() {
    let instance = Instance::start().await;
    let mut numbers = Vec::new();
    let mut path = "/api/now/table/incident?sysparm_query=ORDERBYnumber&sysparm_limit=3".to_owned();
    loop {
        let answer = instance.get(&path).await;
        numbers.extend(column(&answer.result(), "number"));
        let next = answer.header("link").split(',').find(|part| part.ends_with("rel=\"next\""));
        let Some(next) = next else { break };
        let url = next.trim_start_matches('<').split('>').next().unwrap();
        path = url.strip_prefix(&instance.base).unwrap().to_owned();
    }
    assert_eq!(numbers.len(), 10);
    assert!(numbers.is_sorted());
}

#[tokio::test]
async fn headers_can_be_suppressed_and_counting_left_out() {
    let instance = Instance::start().await;
    let (answer, link_text) = link(&instance, "sysparm_suppress_pagination_header=true").await;
    assert_eq!((link_text.as_str(), answer.header("x-total-count")), ("", "10"));
    let (answer, link_text) = link(&instance, "sysparm_no_count=true&sysparm_limit=4").await;
    assert!(answer.headers.get("x-total-count").is_none());
    assert!(link_text.contains("next") && !link_text.contains("last"), "{link_text}");
}

#[tokio::test]
async fn keyset_paging_by_sys_id_works() {
    let instance = Instance::start().await;
    let (mut last, mut seen) = (String::new(), 0);
    loop {
        let path = format!(
            "/api/now/table/incident?sysparm_query=sys_id%3E{last}%5EORDERBYsys_id&sysparm_limit=4&sysparm_fields=sys_id"
        );
        let path = if last.is_empty() { path.replace("sys_id%3E%5E", "") } else { path };
        let ids = column(&instance.get(&path).await.result(), "sys_id");
        let Some(id) = ids.last() else { break };
        last.clone_from(id);
        seen += ids.len();
    }
    assert_eq!(seen, 10);
}

#[tokio::test]
async fn a_negative_offset_is_refused_and_a_limit_of_nonsense_is_none() {
    let instance = Instance::start().await;
    assert_eq!(instance.get("/api/now/table/incident?sysparm_offset=-4").await.status, 400);
    let (answer, _) = link(&instance, "sysparm_limit=many").await;
    assert_eq!(answer.result().as_array().unwrap().len(), 10);
}
