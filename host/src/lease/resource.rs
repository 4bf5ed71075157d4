//! How a resource is named: in its files, and in the kernel's table.

/// The resource with only those characters that every file name may have.
pub(super) fn file_name(resource: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    resource.chars().map(allowed).collect()
}
