//! The client.
#[derive(Debug)]
pub struct Client;
