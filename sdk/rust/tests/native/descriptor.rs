//! The metadata: one JSON, in the table and in the section of the file, as the host reads it.

use std::{env, fs};

use dyno_plugin_api::{
    abi::DYNO_ABI_VERSION,
    descriptor::{Better, Build, Descriptor, ParamKind},
    layout, section,
};
use object::{Object, ObjectSection};
use serde_json::json;

use crate::host::{plugin, text};

fn descriptor() -> Descriptor {
    Descriptor::from_json(text(plugin().descriptor).as_bytes()).expect("the descriptor is good")
}

#[test]
fn the_section_of_the_file_holds_the_same_bytes_as_the_table() {
    let file = fs::read(env::current_exe().unwrap()).unwrap();
    let file = object::File::parse(&*file).unwrap();
    let name = if cfg!(target_vendor = "apple") {
        "__dyno_desc"
    } else if cfg!(windows) {
        section::PE
    } else {
        section::ELF
    };
    let data = file.section_by_name(name).unwrap().data().unwrap();
    assert_eq!(std::str::from_utf8(data).unwrap().trim_end_matches('\0'), text(plugin().descriptor));
}

#[test]
fn table_and_descriptor_name_this_contract() {
    let plugin = plugin();
    assert_eq!((plugin.abi_version, plugin.layout_hash), (DYNO_ABI_VERSION, layout::LAYOUT_HASH));
    assert_eq!(plugin.size as usize, size_of_val(plugin));
    assert_eq!(descriptor().abi.mismatch(), None);
    assert_eq!(descriptor().benchmarks.len(), plugin.benchmark_count);
}

#[test]
fn the_profile_of_this_crate_is_told() {
    // Assertions are what a test can see of its own profile; `cargo test --release` has none of them.
    let expected = if cfg!(debug_assertions) { Build::Debug } else { Build::Release };
    assert_eq!(descriptor().build, Some(expected));
}

#[test]
fn every_field_of_the_plugin_arrives() {
    let descriptor = descriptor();
    let plugin = &descriptor.plugin;
    assert_eq!((plugin.id.as_str(), plugin.version.as_str()), ("test-plugin", "1.2.3-beta+4"));
    assert_eq!(plugin.description, "Says \"hello\"\tand more");
    assert_eq!(plugin.authors, ["A <a@example.org>", "B"]);
    assert_eq!((plugin.license.as_str(), plugin.homepage.as_str()), ("MIT", "https://example.org"));
    assert_eq!(descriptor.capabilities, ["network"]);
}

#[test]
fn every_field_of_a_benchmark_arrives() {
    let descriptor = descriptor();
    let good = descriptor.benchmark("good").unwrap();
    assert_eq!((good.category.as_str(), good.description.as_str()), ("test", "Does everything right."));
    assert_eq!(
        (&good.tags[..], &good.models[..]),
        (&["a", "b"].map(str::to_owned)[..], &["bert", "vit", "gpt2"].map(str::to_owned)[..])
    );
    assert_eq!(
        json!(good.model_details),
        json!([
            {"name": "vit", "family": "transformer", "modality": "im\"age", "parameters": 86_567_656,
             "tags": ["high", "b"], "precisions": ["fp32", "bf16"]},
            {"name": "gpt2"},
        ])
    );
    assert!(text(plugin().descriptor).matches("model_details").count() == 1, "absent where there are none");
    assert_eq!(good.hardware, ["cpu", "cuda"]);
    let metrics: Vec<_> = good.metrics.iter().map(|m| (m.name.as_str(), m.unit.as_str(), m.better)).collect();
    assert_eq!(metrics, [("rate", "1/s", Better::Higher), ("loss", "", Better::Lower)]);

    let description = |name| descriptor.benchmark(name).unwrap().description.as_str();
    assert_eq!(description("faulty"), "Where and how it goes wrong.", "the doc comment of its parameters");
    assert_eq!(description("skips"), "Given, not the doc comment.");
    assert_eq!(descriptor.benchmark("skips").unwrap().params, []);
}

#[test]
fn every_field_of_a_parameter_arrives() {
    let descriptor = descriptor();
    let params = &descriptor.benchmark("good").unwrap().params;
    let names: Vec<_> = params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(names, ["n", "small", "large", "ratio", "exponent", "flag", "text", "layout", "type"]);
    let param = |name: &str| params.iter().find(|param| param.name == name).unwrap();

    let n = param("n");
    assert_eq!((n.kind, &n.default), (ParamKind::Integer, &json!(4096)));
    assert_eq!((n.min.clone(), n.max.clone()), (Some(json!(1)), Some(json!(1_048_576))));
    assert_eq!((n.unit.as_str(), n.description.as_str()), ("elements", "How many."));

    // A range that follows from the type alone is told, so that the host can refuse before a worker starts.
    assert_eq!(
        (param("small").min.clone(), param("small").max.clone()),
        (Some(json!(-128)), Some(json!(127)))
    );
    assert_eq!((param("large").min.clone(), param("large").max.clone()), (Some(json!(0)), None));
    assert_eq!(param("large").default, json!(i64::MAX));

    assert_eq!((param("ratio").kind, &param("ratio").default), (ParamKind::Float, &json!(0.5)));
    assert_eq!(
        (param("ratio").min.clone(), param("ratio").max.clone()),
        (Some(json!(-1.0)), Some(json!(1000.0)))
    );
    assert_eq!(param("exponent").choices, Some(vec![json!(2.0), json!(2.5)]));
    assert_eq!((param("flag").kind, param("flag").description.as_str()), (ParamKind::Bool, "Says \"yes\"."));
    assert_eq!((param("text").kind, &param("text").default), (ParamKind::String, &json!("a\\b\n")));
    assert_eq!(param("layout").kind, ParamKind::Enum);
    assert_eq!(param("layout").choices, Some(vec![json!("row_major"), json!("col\"umn")]));
    assert_eq!(param("type").choices, Some(vec![json!(1), json!(2), json!(4)]));
    assert_eq!(param("type").choices_for("cuda"), Some(&[json!(2), json!(4)][..]));
    assert_eq!(param("type").choices_for("cpu").map(<[_]>::len), Some(3));
}
