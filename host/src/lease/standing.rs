//! Who holds each resource, and who waits for it: what is shown to people, and to a process that waits.

use std::path::Path;

use super::{
    folder::Leases,
    guard::Guard,
    holder::Holder,
    ticket::{self, Stand},
};

/// The holders of one resource, and the processes that wait for it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Standing {
    /// The resource.
    pub resource: String,
    /// One, or several that overlap.
    pub holders: Vec<Holder>,
    /// In the order of the queue.
    pub waiting: Vec<Holder>,
}

impl Leases {
    /// The holders of each device and the processes that wait for it, in the order of the queue.
    #[must_use]
    pub fn holders(&self, resources: &[String]) -> Vec<Standing> {
        let standing = |resource: &String| {
            let all = ticket::standing(self.folder(), resource);
            let of = |wanted| all.iter().filter(move |(stand, _)| *stand == wanted).map(|(_, it)| it.clone());
            let mut holders: Vec<Holder> = of(Stand::Holding).collect();
            if holders.is_empty() {
                holders.extend(Guard::holder(self.domain(), resource));
            }
            Standing { resource: resource.clone(), holders, waiting: of(Stand::Waiting).collect() }
        };
        resources.iter().map(standing).filter(|it| !it.holders.is_empty() || !it.waiting.is_empty()).collect()
    }
}

/// The process that claims to hold the resource.
pub(super) fn holding(folder: &Path, resource: &str) -> Option<Holder> {
    let standing = ticket::standing(folder, resource);
    standing.into_iter().find(|(stand, _)| *stand == Stand::Holding).map(|(_, holder)| holder)
}
