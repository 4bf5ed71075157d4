//! The procedural macros of `dyno-sdk`: they turn attributes into constants, and mistakes into errors at their place.
//!
//! What they write names only `::dyno_sdk`; nothing here knows about targets or the ABI.

mod benchmark;
mod build;
mod fields;
mod json;
mod models;
mod names;
mod number;
mod param_enum;
mod params;
mod plugin;

use proc_macro::TokenStream;

/// Describes a type as a benchmark: `#[benchmark(name = "gemm", hardware = ["cpu"])]`.
///
/// | field | value |
/// |---|---|
/// | `name` | required; lower-case letters, digits, `-` and `_` |
/// | `hardware` | required; a list of `cpu`, `cuda`, `rocm`, `mps`, `openvino`, `qnn`, `webgpu`, `webnn` |
/// | `category` | a word to group by |
/// | `description` | one sentence; otherwise the doc comment of the type, otherwise that of its parameters |
/// | `models` | a list of names of models; in place of a name also `model("bert-tiny", family = "bert", modality = "text", parameters = 4_385_920, tags = ["low"], precisions = ["fp32"])`, where all but the name may be left out |
/// | `tags` | a list of words to find it by |
/// | `metrics` | a list of `metric("tokens_per_second", unit = "tokens/s", better = "higher")` |
#[proc_macro_attribute]
pub fn benchmark(attribute: TokenStream, item: TokenStream) -> TokenStream {
    benchmark::expand(attribute.into(), &item.into()).into()
}

/// Makes typed parameters of a struct: `#[param(default = 4096, min = 1, max = 8192, unit = "elements")]` on each field.
///
/// Fields are integers up to 64 bits, `f32`, `f64`, `bool`, `String`, or an enum with `#[derive(ParamEnum)]`, whose
/// default is one of its words. `default` is required; `min` and `max` are for numbers, `choices = [1, 2, 4]` for
/// numbers and strings. The doc comment of a field is its description.
#[proc_macro_derive(Params, attributes(param))]
pub fn params(item: TokenStream) -> TokenStream {
    params::expand(item.into()).into()
}

/// Makes an enum without fields the type of a parameter: its words are the variants in snake case, or
/// `#[param(name = "…")]`.
#[proc_macro_derive(ParamEnum, attributes(param))]
pub fn param_enum(item: TokenStream) -> TokenStream {
    param_enum::expand(item.into()).into()
}

/// Makes a plugin of benchmarks: `export_plugin! { id: "hello", description: "…", benchmarks: [Sum] }`.
///
/// `version`, `description`, `authors`, `license` and `homepage` come from `Cargo.toml` where they are not given.
/// `capabilities` lists what the plugin asks the operator for. Whether the crate is compiled without optimisation or
/// with debug assertions goes into the descriptor by itself, and the host marks the numbers of such a build.
#[proc_macro]
pub fn export_plugin(input: TokenStream) -> TokenStream {
    plugin::expand(input.into()).into()
}
