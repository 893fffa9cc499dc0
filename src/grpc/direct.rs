//! `Route` past its message: the one call that is made for each request of every agent writes its reply
//! straight from the decision. Everything else goes to the generated service.
//!
//! Invariants: on the wire there is no difference.
//!
//! Not here: the bytes (`encode`), the call itself (`router`).

use super::router::{Router, Routing};
use crate::proto::v1::RouteRequest;
use crate::proto::v1::router_service_server::RouterServiceServer;
use bytes::BufMut;
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::codegen::BoxFuture;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstDecoder;
use tower::Service;

/// Where `Route` is asked for.
const ROUTE: &str = "/bellwether.v1.RouterService/Route";

/// `RouterService`, with a shorter way for `Route`.
#[derive(Debug)]
pub(super) struct Direct<R> {
    router: Arc<Router<R>>,
    rest: RouterServiceServer<Router<R>>,
    message_bytes: usize,
}

impl<R: Routing> Direct<R> {
    /// No message above `message_bytes` is read.
    pub(super) fn new(router: Router<R>, message_bytes: usize) -> Self {
        let router = Arc::new(router);
        let rest = RouterServiceServer::from_arc(Arc::clone(&router));
        Self {
            router,
            rest: rest.max_decoding_message_size(message_bytes),
            message_bytes,
        }
    }
}

impl<R> Clone for Direct<R> {
    fn clone(&self) -> Self {
        Self {
            router: Arc::clone(&self.router),
            rest: self.rest.clone(),
            message_bytes: self.message_bytes,
        }
    }
}

impl<R> NamedService for Direct<R> {
    const NAME: &'static str = RouterServiceServer::<()>::NAME;
}

impl<R: Routing> Service<http::Request<Body>> for Direct<R> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if request.uri().path() != ROUTE {
            return self.rest.call(request);
        }
        let route = Route(Arc::clone(&self.router));
        let mut grpc =
            Grpc::new(RouteCodec).apply_max_message_size_config(Some(self.message_bytes), None);
        Box::pin(async move { Ok(grpc.unary(route, request).await) })
    }
}

struct Route<R>(Arc<Router<R>>);

impl<R: Routing> UnaryService<RouteRequest> for Route<R> {
    type Response = Vec<u8>;
    type Future = BoxFuture<Response<Vec<u8>>, Status>;

    fn call(&mut self, request: Request<RouteRequest>) -> Self::Future {
        let router = Arc::clone(&self.0);
        Box::pin(async move { router.route_bytes(request).await })
    }
}

/// Reads the message, writes what is encoded already.
struct RouteCodec;

impl Codec for RouteCodec {
    type Encode = Vec<u8>;
    type Decode = RouteRequest;
    type Encoder = Encoded;
    type Decoder = ProstDecoder<RouteRequest>;

    fn encoder(&mut self) -> Encoded {
        Encoded
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

struct Encoded;

impl Encoder for Encoded {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(message.len());
        out.put_slice(&message);
        Ok(())
    }
}
