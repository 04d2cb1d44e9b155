//! The cases that break the Java connector runtime, each with the share of faults that was
//! measured there, and what came out there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use servicenow_worker::{
    sandbox::{CutPoint, DuplicateIdAnswer, Fault, Match},
    worker,
};

use crate::{
    case::{Case, SECOND_INSERTS},
    fault,
    report::Report,
    runner::Test,
    scene::Scene,
};

/// The cases.
pub(crate) const CASES: &[Test] = &[
    (
        "one_percent_of_lost_answers_makes_no_duplicate",
        one_percent_of_lost_answers_makes_no_duplicate,
    ),
    (
        "gateway_time_outs_after_the_insert_make_no_duplicate",
        gateway_time_outs_after_the_insert_make_no_duplicate,
    ),
    ("answers_after_the_time_out_make_no_duplicate", answers_after_the_time_out_make_no_duplicate),
    (
        "inserts_that_commit_after_the_time_out_make_no_duplicate",
        inserts_that_commit_after_the_time_out_make_no_duplicate,
    ),
    (
        "an_insert_that_comes_again_makes_no_duplicate_whatever_is_said_to_it",
        an_insert_that_comes_again_makes_no_duplicate_whatever_is_said_to_it,
    ),
    (
        "an_instance_that_chooses_ids_gets_one_record_a_job",
        an_instance_that_chooses_ids_gets_one_record_a_job,
    ),
    (
        "an_instance_that_chooses_ids_and_loses_its_first_answers_gets_one_record_a_job",
        an_instance_that_chooses_ids_and_loses_its_first_answers_gets_one_record_a_job,
    ),
    (
        "a_worker_killed_with_ten_calls_in_flight_makes_no_duplicate",
        a_worker_killed_with_ten_calls_in_flight_makes_no_duplicate,
    ),
    (
        "a_broken_result_expression_makes_one_record_a_job",
        a_broken_result_expression_makes_one_record_a_job,
    ),
    (
        "a_result_expression_that_does_not_parse_costs_no_call",
        a_result_expression_that_does_not_parse_costs_no_call,
    ),
    ("an_html_page_with_200_is_no_record", an_html_page_with_200_is_no_record),
    (
        "a_burst_of_2000_jobs_with_a_lock_of_15_s_makes_no_duplicate",
        a_burst_of_2000_jobs_with_a_lock_of_15_s_makes_no_duplicate,
    ),
];

/// A thousand jobs, of whose inserts every hundredth is hit.
fn one_percent(fault: Fault) -> Report {
    let report = Case::of(Scene::default()).with_inserts_hit(100, 10, fault).play();
    println!("{report}");
    report.assert_kept();
    assert_eq!((report.jobs, report.records, report.duplicates), (1_000, 1_000, 0));
    report
}

fn one_percent_of_lost_answers_makes_no_duplicate() {
    // There: 10 duplicates in each of two runs.
    let report = one_percent(Fault::Cut(CutPoint::AfterCommit));
    assert_eq!((report.doubts, report.calls), (10, 1_010), "one look for each lost answer");
}

fn gateway_time_outs_after_the_insert_make_no_duplicate() {
    // There: 9 and 10 duplicates.
    let report = one_percent(fault::gateway_timeout());
    assert_eq!((report.doubts, report.calls), (10, 1_010), "one look for each 504");
}

fn answers_after_the_time_out_make_no_duplicate() {
    // There: 10 duplicates in each of two runs.
    let report = one_percent(Fault::Delay { before_ms: 0, after_ms: 70_000 });
    assert_eq!((report.doubts, report.calls), (10, 1_010), "one look for each late answer");
}

fn inserts_that_commit_after_the_time_out_make_no_duplicate() {
    one_percent(Fault::Delay { before_ms: 70_000, after_ms: 0 });
}

fn busy() -> Fault {
    Fault::Status { code: 503, headers: Vec::new(), body: "{}".into(), after_commit: false }
}

/// The answer to an insert is lost, and the look after it fails: the job comes back and inserts
/// the same id again. What ServiceNow says to that is not known, so it says each.
fn an_insert_that_comes_again_makes_no_duplicate_whatever_is_said_to_it() {
    for second_insert in SECOND_INSERTS {
        let mut case =
            Case::of(Scene::default()).with_inserts_hit(100, 10, Fault::Cut(CutPoint::AfterCommit));
        let looks = Match { times: 10, ..Match::on("GET", "incident") };
        case.scripted.push((looks, busy()));
        let report = Case { second_insert: Some(second_insert), ..case }.play();
        println!("{second_insert:?}: {report}");
        report.assert_kept();
        assert_eq!((report.records, report.duplicates), (1_000, 0));
        // A refusal is looked into; an update shows the record.
        let looked = if second_insert == DuplicateIdAnswer::Update { 0 } else { 10 };
        assert_eq!(report.calls, 1_020 + looked, "{second_insert:?}");
    }
}

/// ServiceNow gives records ids of its own, answers are lost and the worker is killed: the
/// job's mark is what is left to know a record by.
fn an_instance_that_chooses_ids_gets_one_record_a_job() {
    let scene = Scene {
        latency: Duration::from_millis(50),
        worker: worker::Config { job_timeout: Duration::from_secs(15), ..Scene::default().worker },
        looks_first: true,
        ..Scene::default()
    };
    let mut case = Case::of(scene).with_inserts_hit(100, 10, Fault::Cut(CutPoint::AfterCommit));
    let always = Match { times: 0, ..Match::on("POST", "incident") };
    case.scripted.push((always, Fault::IdNotHonoured));
    let mut is_killed = false;
    case.at_each_step = Box::new(move |world| {
        let calls = world.sandbox().requests().len();
        if !is_killed && calls >= 600 && world.books().in_flight >= 4 {
            is_killed = true;
            world.kill(0, world.now());
        }
    });
    let report = case.play();
    println!("{report}");
    report.assert_kept();
    assert_eq!((report.kills, report.records, report.duplicates), (1, 1_000, 0));
    assert!(report.calls > 1_950, "each insert but the first few looks first: {}", report.calls);
}

/// No answer has shown yet that it chooses ids, and the look after each lost one fails: the
/// jobs come back to a worker that knows nothing of the table.
fn an_instance_that_chooses_ids_and_loses_its_first_answers_gets_one_record_a_job() {
    let scene = Scene { jobs: 10, burst: 10, looks_first: true, ..Scene::default() };
    let mut case = Case::of(scene).with_inserts_hit(1, 10, Fault::Cut(CutPoint::AfterCommit));
    let looks = Match { times: 10, ..Match::on("GET", "incident") };
    case.scripted.push((looks, busy()));
    let always = Match { times: 0, ..Match::on("POST", "incident") };
    case.scripted.push((always, Fault::IdNotHonoured));
    let report = case.play();
    println!("{report}");
    report.assert_kept();
    assert_eq!((report.records, report.duplicates), (10, 0));
}

fn a_worker_killed_with_ten_calls_in_flight_makes_no_duplicate() {
    // There: 9 and 10 duplicates.
    let scene = Scene {
        jobs: 1_500,
        burst: 1_500,
        max_concurrency: 10,
        latency: Duration::from_millis(50),
        worker: worker::Config { job_timeout: Duration::from_secs(15), ..Scene::default().worker },
        ..Scene::default()
    };
    let killed_with = Arc::new(AtomicUsize::new(0));
    let killed = Arc::clone(&killed_with);
    let case = Case {
        at_each_step: Box::new(move |world| {
            let in_flight = world.books().in_flight;
            let is_under_way = world.sandbox().requests().len() >= 600;
            if killed.load(Ordering::Relaxed) == 0 && is_under_way && in_flight == 10 {
                killed.store(in_flight, Ordering::Relaxed);
                world.kill(0, world.now());
            }
        }),
        ..Case::of(scene)
    };
    let report = case.play();
    println!("{report}");
    report.assert_kept();
    assert_eq!((killed_with.load(Ordering::Relaxed), report.kills), (10, 1));
    assert_eq!((report.records, report.duplicates), (1_500, 0));
}

/// Twenty jobs whose result expression is broken; each is tried three times, as somebody
/// resolves its incident again and again.
fn broken_result_expression(expression: &'static str) -> Report {
    let scene = Scene {
        jobs: 20,
        burst: 20,
        headers: vec![("resultExpression", expression)],
        resolves: 3,
        ..Scene::default()
    };
    let report = Case::of(scene).play();
    println!("{report}");
    report
}

fn a_broken_result_expression_makes_one_record_a_job() {
    // There: 60 records, 40 of them duplicates.
    let report = broken_result_expression(
        r#"={id: assert(response.nothing, response.nothing != null, "no")}"#,
    );
    report.assert_kept();
    assert_eq!((report.records, report.duplicates, report.incidents), (20, 0, 20));
}

fn a_result_expression_that_does_not_parse_costs_no_call() {
    // There: 60 records, 40 of them duplicates.
    let report = broken_result_expression("={id: response.body.");
    assert_eq!((report.calls, report.records, report.incidents), (0, 0, 20));
}

fn an_html_page_with_200_is_no_record() {
    // There: 20 of 1,000 jobs were completed without a record.
    let report = Case::of(Scene::default()).with_inserts_hit(50, 20, Fault::Hibernating).play();
    println!("{report}");
    report.assert_kept();
    assert_eq!((report.jobs, report.records, report.duplicates), (1_000, 1_000, 0));
    assert_eq!(report.doubts, 20, "twenty pages");
}

fn a_burst_of_2000_jobs_with_a_lock_of_15_s_makes_no_duplicate() {
    // There, without any fault: 557 and 602 duplicates.
    let scene = Scene {
        jobs: 2_000,
        burst: 2_000,
        latency: Duration::from_millis(200),
        worker: worker::Config {
            max_jobs_active: 64,
            job_timeout: Duration::from_secs(15),
            ..worker::Config::default()
        },
        ..Scene::default()
    };
    let report = Case::of(scene).play();
    println!("{report}");
    report.assert_kept();
    assert_eq!((report.records, report.duplicates), (2_000, 0));
    assert_eq!(report.calls, 2_000, "no job was worked on twice");
}
