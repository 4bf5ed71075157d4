// The C++ side of a native plugin: classes over dyno_plugin.h, header-only, C++17. How to use it: README.md beside it.
//
// A benchmark is a class derived from dyno::benchmark. `setup` is called once, then `verify`, then `prepare` and
// `execute` per sample, then `process_results`; `cleanup` is the destructor. Whatever these functions throw becomes
// the error of the case, with its message: no exception crosses the boundary.

#ifndef DYNO_HPP
#define DYNO_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include "dyno_plugin.h"

namespace dyno {

// Thrown by an author if this case cannot run here, which is not a failure.
class skip : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline DynoStr to_str(std::string_view text) {
    return DynoStr{reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

inline std::string_view to_view(DynoStr text) {
    return text.len == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char *>(text.ptr), text.len);
}

// Keeps the compiler from dropping or moving work, as dyno_keep does: pass the input before it is read and the result
// once it is there, in every iteration.
template <class T> inline void keep(const T &value) { dyno_keep(std::addressof(value)); }

// The parameters of a case. Valid until `setup` returns: copy what is needed later.
class params {
public:
    params(const DynoParam *first, std::size_t count) : first_(first), count_(count) {}

    std::int64_t integer(std::string_view name) const { return find(name, DYNO_PARAM_INTEGER).integer; }
    double number(std::string_view name) const { return find(name, DYNO_PARAM_FLOAT).number; }
    bool flag(std::string_view name) const { return find(name, DYNO_PARAM_BOOL).integer != 0; }
    std::string_view text(std::string_view name) const { return to_view(find(name, DYNO_PARAM_TEXT).text); }

private:
    const DynoParam &find(std::string_view name, std::uint32_t kind) const {
        for (std::size_t i = 0; i < count_; i++) {
            if (to_view(first_[i].name) != name) continue;
            if (first_[i].kind == kind) return first_[i];
            throw std::logic_error("parameter `" + std::string(name) + "` has another type in the descriptor");
        }
        throw std::logic_error("parameter `" + std::string(name) + "` is not in the descriptor");
    }

    const DynoParam *first_;
    std::size_t count_;
};

// What the host offers. Any thread may use it, from the start of `setup` to the end of the destructor.
class host {
public:
    explicit host(const DynoHost *table) : table_(table) {}

    // Equal seeds must make equal work.
    std::uint64_t seed() const { return table_->seed; }
    const DynoDevice &device() const { return *table_->device; }
    // `level` is one of DYNO_LOG_*.
    void log(std::uint32_t level, std::string_view line) const { table_->log(table_->context, level, to_str(line)); }
    void info(std::string_view line) const { log(DYNO_LOG_INFO, line); }
    // From 0 to 1. Not for `execute`.
    void progress(double fraction) const { table_->progress(table_->context, fraction); }
    // Whether the user has cancelled.
    bool cancelled() const { return table_->cancelled(table_->context) != 0; }
    // The descriptor must declare the metric.
    void metric(std::string_view name, double value) const {
        table_->metric(table_->context, to_str(name), value);
    }
    const DynoHost *table() const { return table_; }

private:
    const DynoHost *table_;
};

// The samples of a launch, as `process_results` sees them.
class samples {
public:
    samples(const DynoSample *first, std::size_t count) : first_(first), count_(count) {}
    const DynoSample *begin() const { return first_; }
    const DynoSample *end() const { return first_ + count_; }
    std::size_t size() const { return count_; }

private:
    const DynoSample *first_;
    std::size_t count_;
};

namespace detail {
struct access;
}

// One benchmark. All functions are called on one thread, never two at once.
class benchmark {
public:
    benchmark() = default;
    benchmark(const benchmark &) = delete;
    benchmark &operator=(const benchmark &) = delete;
    virtual ~benchmark() = default;

    // Takes its parameters and makes everything that `execute` needs. Untimed.
    virtual void setup(const params &) = 0;
    // Throws when the output differs from an independent reference. Untimed.
    virtual void verify() {}
    // Makes fresh input for the next `execute`, which will do `iterations` iterations. Untimed.
    virtual void prepare(std::uint64_t) {}
    // Does the work `iterations` times and reports the sum of it. The only timed call.
    virtual void execute(std::uint64_t iterations, DynoReport &report) = 0;
    // Derives metrics from the samples and reports them. Untimed.
    virtual void process_results(const samples &) {}

protected:
    const dyno::host &host() const { return host_; }

private:
    friend struct detail::access;
    dyno::host host_{nullptr};
};

namespace detail {

struct access {
    static void give_host(benchmark &it, const DynoHost *table) { it.host_ = dyno::host(table); }
    static const DynoHost *table(const benchmark &it) { return it.host_.table(); }
};

// Turns whatever `body` throws into a return value and a reason.
template <class Body> std::int32_t guarded(const DynoHost *host, Body &&body) noexcept {
    try {
        body();
        return DYNO_OK;
    } catch (const skip &why) {
        return dyno_skip(host, why.what());
    } catch (const std::exception &why) {
        return dyno_fail(host, why.what());
    } catch (...) {
        return dyno_fail(host, "the plugin threw an exception that is not a std::exception");
    }
}

template <class T> T *cast(void *instance) { return static_cast<T *>(instance); }

template <class T>
std::int32_t setup(const DynoHost *host, const DynoParam *first, std::size_t count, void **instance) noexcept {
    return guarded(host, [&] {
        auto made = std::make_unique<T>();
        access::give_host(*made, host);
        made->setup(params(first, count));
        *instance = made.release();
    });
}

template <class T> std::int32_t verify(void *instance) noexcept {
    return guarded(access::table(*cast<T>(instance)), [&] { cast<T>(instance)->verify(); });
}

template <class T> std::int32_t prepare(void *instance, std::uint64_t iterations) noexcept {
    return guarded(access::table(*cast<T>(instance)), [&] { cast<T>(instance)->prepare(iterations); });
}

template <class T>
std::int32_t execute(void *instance, std::uint64_t iterations, DynoReport *report) noexcept {
    return guarded(access::table(*cast<T>(instance)), [&] { cast<T>(instance)->execute(iterations, *report); });
}

template <class T>
std::int32_t process_results(void *instance, const DynoSample *first, std::size_t count) noexcept {
    return guarded(access::table(*cast<T>(instance)),
                   [&] { cast<T>(instance)->process_results(samples(first, count)); });
}

// A destructor that throws ends the process, and the host reports that: nothing can be said from here.
template <class T> void cleanup(void *instance) noexcept { delete cast<T>(instance); }

// The table of a plugin. It points into itself and lives as long as the process.
template <std::size_t Count> struct table {
    template <std::size_t Length>
    table(const char (&descriptor)[Length], const DynoBenchmark (&list)[Count])
        : plugin{sizeof(DynoPlugin),
                 DYNO_ABI_VERSION,
                 DYNO_LAYOUT_HASH,
                 {reinterpret_cast<const std::uint8_t *>(descriptor), Length - 1},
                 pointers,
                 Count} {
        for (std::size_t i = 0; i < Count; i++) pointers[i] = &list[i];
    }
    table(const table &) = delete;
    table &operator=(const table &) = delete;

    const DynoBenchmark *pointers[Count];
    DynoPlugin plugin;
};

} // namespace detail

// The class T under the name that it has in the descriptor. Functions that T does not override stay out of the table.
template <class T> DynoBenchmark entry(const char *name) {
    static_assert(std::is_base_of_v<benchmark, T>, "a benchmark derives from dyno::benchmark");
    DynoBenchmark out{};
    out.size = sizeof(DynoBenchmark);
    out.name = dyno_str(name);
    out.setup = detail::setup<T>;
    if constexpr (!std::is_same_v<decltype(&T::verify), void (benchmark::*)()>) out.verify = detail::verify<T>;
    if constexpr (!std::is_same_v<decltype(&T::prepare), void (benchmark::*)(std::uint64_t)>) {
        out.prepare = detail::prepare<T>;
    }
    out.execute = detail::execute<T>;
    if constexpr (!std::is_same_v<decltype(&T::process_results), void (benchmark::*)(const samples &)>) {
        out.process_results = detail::process_results<T>;
    }
    out.cleanup = detail::cleanup<T>;
    return out;
}

} // namespace dyno

// Exports the plugin: its descriptor (a string literal, or DYNO_JSON({...})), then one dyno::entry<T>("name") per
// benchmark. Once per plugin, at file scope, outside any namespace.
#define DYNO_EXPORT_PLUGIN(json, ...)                                                                                 \
    DYNO_DESCRIPTOR(json);                                                                                            \
    const DynoPlugin *dyno_plugin_v1(void) {                                                                          \
        static const DynoBenchmark list[] = {__VA_ARGS__};                                                            \
        static const dyno::detail::table<sizeof(list) / sizeof(list[0])> table(dyno_descriptor, list);                \
        return &table.plugin;                                                                                         \
    }                                                                                                                 \
    static_assert(sizeof(dyno_descriptor) > 1, "the descriptor is empty")

#endif // DYNO_HPP
