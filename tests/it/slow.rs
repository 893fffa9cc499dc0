//! An endpoint that answered and now hangs, with no time limit but the caller's own: the caller is answered by
//! another arm within that time.

use crate::rig::{CODING, Rig, arm, configured_with, said};
use crate::upstream::{Behaviour, Upstream};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::server;
use std::time::Duration;

fn request() -> tonic::Request<v1::CompleteRequest> {
    let context = v1::RequestContext {
        messages: vec![said("fix the build")],
        ..Default::default()
    };
    let mut request = tonic::Request::new(v1::CompleteRequest {
        context: Some(context),
        explore: Some(false),
        ..Default::default()
    });
    request.set_timeout(Duration::from_secs(2));
    request
}

#[tokio::test]
async fn a_hanging_endpoint_leaves_time_for_another_arm() {
    let upstream = Upstream::start(Behaviour::Healthy).await;
    let first = format!(
        "[[arms]]\nname = \"first\"\ncontext_tokens = 100_000\n[[endpoints]]\nname = \"first-at\"\narm = \"first\"\n\
         provider = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n\
         prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.1 }}]\n",
        upstream.base_url()
    );
    let (dir, params) = configured_with("group", &(first + &arm("second", 100.0)));
    let opened = server::open(&params, &SystemClock).expect("opened");
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    let served = async |caller: &mut crate::rig::Caller| {
        let reply = caller.router.complete(request()).await;
        let attempts = reply.expect("answered").into_inner().attempts;
        attempts.into_iter().map(|a| a.arm).collect::<Vec<_>>()
    };
    assert_eq!(served(&mut caller).await, ["first"]);
    upstream.set(Behaviour::Hang).await;
    assert_eq!(served(&mut caller).await, ["first", "second"]);
    rig.stop().await;
}
