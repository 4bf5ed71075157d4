use dyno_sdk::prelude::*;

#[benchmark(name = "form", hardware = ["cpu"], models = [bert, network("bert"), model(), model(bert)])]
struct Form;

#[benchmark(name = "list", hardware = ["cpu"], models = "bert")]
struct NoList;

#[benchmark(name = "typo", hardware = ["cpu"], models = [model("bert", familly = "bert")])]
struct Typo;

#[benchmark(name = "twice", hardware = ["cpu"], models = ["bert", model("vit"), model("bert", family = "bert")])]
struct Twice;

#[benchmark(name = "count", hardware = ["cpu"], models = [model("a", parameters = "4M"), model("b", parameters = -1)])]
struct Count;

#[benchmark(name = "texts", hardware = ["cpu"],
    models = [model("a", tags = "low"), model("b", precisions = [32]), model("c", tags = [""]), model("d\n")])]
struct Texts;

#[benchmark(name = "type", hardware = ["cpu"], models = [model("a", family = 5)])]
struct WrongType;

fn main() {}
