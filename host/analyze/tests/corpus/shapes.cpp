// C++: every construct whose complexity is counted.
#include <memory>
#include <string>
#include <vector>

namespace corpus {

template <typename T>
class Stack : public std::vector<T>, private Base {
public:
    Stack() = default;
    explicit Stack(int n) : size_(n) {}
    virtual ~Stack() {}

    bool empty() const { return size_ == 0; }

    T pop(const T &otherwise = T())
    {
        if (empty()) {
            return otherwise;
        }
        return size_-- > 1 ? otherwise : T();
    }

private:
    int size_ = 0;
};

int count(const std::vector<std::string> &names, int limit)
{
    int found = 0;
    for (const auto &name : names) {
        if (name.empty() || name[0] == '#') {
            continue;
        }
        for (char c : name) {
            if (c == 'a' && found < limit) {
                found++;
            }
        }
    }
    return found;
}

bool guarded(const std::string &text)
{
    try {
        return std::stoi(text) > 0;
    } catch (const std::invalid_argument &) {
        return false;
    } catch (...) {
        throw;
    }
}

auto with_lambda(std::vector<int> &values) -> int
{
    auto keep = [&](int v) { return v > 0 ? v : 0; };
    int sum = 0;
    for (int v : values) {
        sum += keep(v);
    }
    return sum;
}

} // namespace corpus

int corpus_external(int kind)
{
    switch (kind) {
    case 0:
        return 1;
    case 1:
        return 2;
    default:
        return 3;
    }
}
