//! What an instance in trouble costs the others.

use std::time::Duration;

use super::{
    QUICK, Stage,
    engine::RETRIES,
    instances::{Act, Instances, Seen},
    seconds,
};

/// How an instance behaves all the time.
type Way = fn(Seen) -> Act;

/// How many jobs of the healthy instance are done within 5 minutes, beside another one.
async fn healthy_beside(other: Option<Way>) -> usize {
    let healthy: Box<dyn Fn(Seen) -> Act + Send + Sync> = Box::new(|_| Act::Serve(seconds(1)));
    let other_act = other.unwrap_or(|_| Act::Serve(QUICK));
    let stage = Stage::start(
        64,
        Instances::new(vec![("healthy", healthy), ("other", Box::new(other_act))]),
    );
    // More than can be done in that time: what is measured is the pace, not how the last ones
    // come back.
    for _ in 0..150 {
        stage.engine.add("healthy", 50);
        stage.engine.add("other", if other.is_some() { 20 } else { 0 });
    }
    tokio::time::sleep(seconds(300)).await;
    let done = stage.engine.completed("healthy");
    let others = stage.engine.jobs("other");
    assert!(others.iter().all(|job| job.retries == RETRIES));
    let activations: u32 = others.iter().map(|job| job.activations).sum();
    assert!(activations <= 60 * 300, "{activations} activations of jobs that could not be done");
    stage.running.abort();
    done
}

#[tokio::test(start_paused = true)]
async fn row_12_a_dead_instance_costs_the_others_at_most_a_twentieth() {
    let alone = healthy_beside(None).await;
    assert!(alone >= 4_000, "{alone}");
    let ways: [(&str, Way); 4] = [
        ("silent", |_| Act::Silent(seconds(65))),
        ("refusing connections", |_| Act::Unreachable(Duration::from_millis(1))),
        ("swallowing connections", |_| Act::Unreachable(seconds(5))),
        ("slow", |_| Act::Serve(seconds(60))),
    ];
    for (way, act) in ways {
        let beside = healthy_beside(Some(act)).await;
        assert!(beside * 100 >= alone * 95, "{way}: {beside} beside it, {alone} alone");
    }
}

/// How many jobs of an instance that is kept busy are done in half a minute, with an engine
/// that takes so long for each call.
async fn busy_beside(other: Option<Way>, round_trip: Duration) -> usize {
    let busy: Box<dyn Fn(Seen) -> Act + Send + Sync> =
        Box::new(|_| Act::Serve(Duration::from_millis(100)));
    let act = other.unwrap_or(|_| Act::Serve(QUICK));
    let mut instances = vec![("busy", busy)];
    if other.is_some() {
        instances.push(("other", Box::new(act)));
    }
    let stage = Stage::start(64, Instances::new(instances));
    stage.engine.take_for_each_call(round_trip);
    for _ in 0..600 {
        stage.engine.add("busy", 10);
        stage.engine.add("other", if other.is_some() { 10 } else { 0 });
    }
    tokio::time::sleep(seconds(30)).await;
    stage.running.abort();
    stage.engine.completed("busy")
}

/// What of its pace a busy instance keeps beside a dead one, in percent, way by way.
async fn pace_beside(round_trip: Duration) -> [(&'static str, usize); 2] {
    let alone = busy_beside(None, round_trip).await;
    assert!(alone >= 4_500, "{alone}");
    let ways: [(&str, Way); 2] = [
        ("refusing connections", |_| Act::Unreachable(Duration::from_millis(1))),
        ("silent", |_| Act::Silent(seconds(65))),
    ];
    let mut pace = ways.map(|(way, _)| (way, 0));
    for (slot, (_, act)) in pace.iter_mut().zip(ways) {
        slot.1 = busy_beside(Some(act), round_trip).await * 100 / alone;
    }
    pace
}

#[tokio::test(start_paused = true)]
async fn row_12_an_instance_that_is_kept_busy_keeps_its_pace_beside_a_dead_one() {
    let pace = pace_beside(Duration::ZERO).await;
    assert!(pace.iter().all(|(_, percent)| *percent >= 95), "{pace:?}");
}

#[tokio::test(start_paused = true)]
async fn row_12_an_instance_that_is_kept_busy_keeps_its_pace_where_a_command_takes_20_ms() {
    for round_trip in [5, 20] {
        let pace = pace_beside(Duration::from_millis(round_trip)).await;
        assert!(pace.iter().all(|(_, percent)| *percent >= 95), "{round_trip} ms: {pace:?}");
    }
}
