//! Everything that is served, put together: the four services behind the gate, health and
//! reflection in front of it.
//!
//! Invariants: no message longer than the limit is read; health is NOT_SERVING until told otherwise; where the
//! administration has a listener of its own, it is served there and nowhere else, and nothing else is.
//!
//! Not here: sockets, drain and stop (`server`).

use super::admin::{Operating, Operator};
use super::auth::Gate;
use super::direct::Direct;
use super::evaluation::{Judge, Judging};
use super::feedback::{Listener, Listening};
use super::keeping::Keeping;
use super::router::{Router, Routing};
use crate::proto::FILE_DESCRIPTOR_SET;
use crate::proto::v1::admin_service_server::AdminServiceServer;
use crate::proto::v1::evaluation_service_server::EvaluationServiceServer;
use crate::proto::v1::feedback_service_server::FeedbackServiceServer;
use crate::proto::v1::router_service_server::RouterServiceServer;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;

/// The services.
#[derive(Debug)]
pub struct Services<R, F, E, A> {
    /// Chooses and answers.
    pub router: Router<R>,
    /// Takes outcomes.
    pub feedback: Listener<F>,
    /// Judges policies.
    pub evaluation: Judge<E>,
    /// Operates.
    pub admin: Operator<A>,
}

/// Their names, as health knows them.
const NAMES: [&str; 5] = [
    "",
    RouterServiceServer::<()>::NAME,
    FeedbackServiceServer::<()>::NAME,
    EvaluationServiceServer::<()>::NAME,
    AdminServiceServer::<()>::NAME,
];

/// What each listener serves.
#[derive(Debug)]
pub struct Surfaces {
    /// At the main listener.
    pub main: Routes,
    /// At the administration's own. `None`: it is served at the main one.
    pub admin: Option<Routes>,
    /// Says whether all of it serves.
    pub health: HealthSwitch,
}

impl<R: Routing, F: Listening, E: Judging, A: Operating + Keeping> Services<R, F, E, A> {
    /// All routes; no message above `message_bytes` is read. The switch says whether they serve.
    pub async fn routes(
        self,
        gate: &Gate,
        message_bytes: usize,
    ) -> Result<(Routes, HealthSwitch), tonic_reflection::server::Error> {
        let Surfaces { main, health, .. } = self.surfaces(gate, message_bytes, false).await?;
        Ok((main, health))
    }

    /// As [`Services::routes`], the administration for a listener of its own where it is `apart`.
    pub async fn surfaces(
        self,
        gate: &Gate,
        message_bytes: usize,
        apart: bool,
    ) -> Result<Surfaces, tonic_reflection::server::Error> {
        let router = Direct::new(self.router, message_bytes);
        let feedback = FeedbackServiceServer::new(self.feedback);
        let feedback = feedback.max_decoding_message_size(message_bytes);
        let evaluation = EvaluationServiceServer::new(self.evaluation);
        let evaluation = evaluation.max_decoding_message_size(message_bytes);
        let admin = AdminServiceServer::new(self.admin);
        let admin = admin.max_decoding_message_size(message_bytes);
        let admin = InterceptedService::new(admin, gate.clone());
        let (reporter, health) = tonic_health::server::health_reporter();
        let switch = HealthSwitch { reporter };
        switch.set(false).await;
        let main = Routes::new(InterceptedService::new(router, gate.clone()))
            .add_service(InterceptedService::new(feedback, gate.clone()))
            .add_service(InterceptedService::new(evaluation, gate.clone()));
        let (main, admin) = match apart {
            true => (main, Some(attended(Routes::new(admin), health.clone())?)),
            false => (main.add_service(admin), None),
        };
        Ok(Surfaces {
            main: attended(main, health)?,
            admin,
            health: switch,
        })
    }
}

/// Routes with health and reflection.
fn attended<H: Health>(
    routes: Routes,
    health: HealthServer<H>,
) -> Result<Routes, tonic_reflection::server::Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = routes
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.prepare())
}

/// Tells health checks whether the server serves.
#[derive(Debug, Clone)]
pub struct HealthSwitch {
    reporter: HealthReporter,
}

impl HealthSwitch {
    /// Serving, or not.
    pub async fn set(&self, serving: bool) {
        let status = match serving {
            true => ServingStatus::Serving,
            false => ServingStatus::NotServing,
        };
        for name in NAMES {
            self.reporter.set_service_status(name, status).await;
        }
    }
}
