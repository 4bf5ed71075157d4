//! Builds that are asked for by their hash: to measure again what was measured before.

use std::path::Path;

use super::{Catalog, read::read_file};
use crate::trust::{Require, TrustStore};

impl Catalog {
    /// The builds with these hashes: those of this list, and replaced ones whose bytes the store at `store` still has. A plugin of
    /// which the list has no build at all was taken away on purpose, so none of its builds is found. Where the trust store requires
    /// anything, replaced builds are not found: nothing vouches for them any more.
    #[must_use]
    pub fn builds<'a>(
        &self,
        hashes: impl IntoIterator<Item = &'a str>,
        store: &Path,
        trust: &TrustStore,
    ) -> Self {
        let mut builds = Self { is_named: true, ..Self::default() };
        for hash in hashes {
            if builds.entries.iter().any(|known| known.sha256 == hash) {
                continue;
            }
            let replaced = || {
                let is_hash = hash.len() == 64 && hash.bytes().all(|it| it.is_ascii_hexdigit());
                let may = is_hash && trust.require == Require::None;
                let kept = if may { read_file(&store.join(hash), &TrustStore::default()).ok() } else { None };
                let is_offered = |id: &str| self.entries.iter().any(|entry| entry.descriptor.plugin.id == id);
                kept.filter(|kept| kept.sha256 == hash && is_offered(&kept.descriptor.plugin.id))
            };
            let listed = self.entries.iter().find(|entry| entry.sha256 == hash).cloned();
            builds.entries.extend(listed.or_else(replaced));
        }
        builds
    }
}
