//! Signatures in minisign's format, the keys that make them, and the trust store that says whose keys count. Decides over bytes;
//! knows no plugin and no package.

mod comment;
mod key;
mod key_files;
mod sentence;
mod signature;
mod store;

pub use comment::Comment;
pub use key::PublicKey;
pub use key_files::{KeyError, NewPair, Password, SecretKey, new_pair, public_key_in};
pub use signature::{MAX_SIGNATURE_BYTES, Prehash, Signature, signature_path};
pub use store::{Publisher, PublisherTable, Require, SignatureState, TrustError, TrustStore, TrustTable};
