//! How the plugin is compiled: in the descriptor, so that the host can mark the numbers of a debug build.

use std::env;

use proc_macro2::TokenStream;
use quote::quote;

/// A constant expression for the value of `build`. It is expanded in the plugin's crate, so that its profile counts and
/// not that of the SDK.
pub(crate) fn json() -> TokenStream {
    let arguments = env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    if optimised(arguments) == Some(false) {
        return quote!("\"debug\"");
    }
    quote!(if ::core::cfg!(debug_assertions) { "\"debug\"" } else { "\"release\"" })
}

/// Whether the compiler was asked to optimise. Macros run inside the compiler, whose arguments alone tell: there is no
/// `cfg` for it. `None` if this process is not a compiler (an editor expands macros too), or if its arguments are in a
/// file.
fn optimised(arguments: impl Iterator<Item = String>) -> Option<bool> {
    let arguments: Vec<String> = arguments.collect();
    let compiles = arguments.iter().any(|argument| argument == "--crate-name" || argument == "--crate-type");
    if !compiles || arguments.iter().any(|argument| argument.starts_with('@')) {
        return None;
    }
    let mut level = "0";
    for (i, argument) in arguments.iter().enumerate() {
        let option = match argument.as_str() {
            "-O" => "opt-level=3",
            "-C" | "--codegen" => arguments.get(i + 1).map_or("", String::as_str),
            other => other.strip_prefix("--codegen=").or_else(|| other.strip_prefix("-C")).unwrap_or(""),
        };
        // The last one counts, as for the compiler.
        level = option.strip_prefix("opt-level=").unwrap_or(level);
    }
    Some(level != "0")
}

#[cfg(test)]
mod tests {
    use super::optimised;

    fn of(arguments: &str) -> Option<bool> {
        optimised(arguments.split(' ').map(str::to_owned))
    }

    #[test]
    fn the_last_level_that_the_compiler_is_given_counts() {
        assert_eq!(of("--crate-name p -C opt-level=3 -C debuginfo=0"), Some(true));
        assert_eq!(of("--crate-name p --edition=2024 -C embed-bitcode=no"), Some(false));
        assert_eq!(of("--crate-type cdylib -Copt-level=s"), Some(true));
        assert_eq!(of("--crate-name p -O"), Some(true));
        assert_eq!(of("--crate-name p --codegen opt-level=1"), Some(true));
        assert_eq!(of("--crate-name p -C opt-level=3 --codegen=opt-level=0"), Some(false));
    }

    #[test]
    fn what_cannot_be_known_is_not_guessed() {
        assert_eq!(of("--stdio"), None);
        assert_eq!(of("--crate-name p @/tmp/arguments"), None);
        assert_eq!(of(""), None);
    }
}
