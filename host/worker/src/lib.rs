//! The child process: it runs one launch of other people's code. It knows no store, no server and no settings; the
//! host tells it everything, one request at a time, over the socket that is its standard input.

mod channel;
mod footprint;
mod host_side;
mod instance;
mod layers;
mod loader;
mod main_loop;
mod measure;
mod sandbox;
mod stages;

pub use main_loop::main;
