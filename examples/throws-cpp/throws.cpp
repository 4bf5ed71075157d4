// A benchmark that throws: its case fails with the message of the exception, nothing more.
//
//     c++ -std=c++17 -O3 -fPIC -shared -fvisibility=hidden -I../../plugin-api/include -I../../sdk/c -o throws_cpp.so throws.cpp

#include "dyno.hpp"

namespace {

class Throws : public dyno::benchmark {
public:
    void setup(const dyno::params &) override {}
    void execute(std::uint64_t, DynoReport &) override { throw std::runtime_error("thrown inside execute"); }
};

} // namespace

DYNO_EXPORT_PLUGIN(
    DYNO_JSON({
        "schema": "dyno.descriptor/1",
        "plugin": {
            "id": "throws-cpp", "version": "1.0.0", "description": "A plugin in C++ that throws",
            "license": "MIT OR Apache-2.0"
        },
        "abi": {"kind": "native", "version": 1, "layout_hash": DYNO_LAYOUT_HASH_TEXT},
        "benchmarks": [{
            "name": "throws_cpp", "category": "example", "description": "Throws inside execute: an error, no crash",
            "hardware": ["cpu"]
        }]
    }),
    dyno::entry<Throws>("throws_cpp"));
