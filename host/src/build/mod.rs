//! From a folder of sources to plugin files, with the tool chain that the folder declares. Runs the user's own compilers, with
//! the user's rights; runs no plugin.

mod cargo;
mod compiler;
mod component;
mod declared;
mod error;
mod guest;
mod output;
mod port;
mod port_params;
mod project;
mod template;
mod tool;
mod wish;

pub use error::BuildError;
pub use port::Original;
pub use project::Project;
pub use template::{Template, TemplateLanguage};
pub use wish::Wish;
