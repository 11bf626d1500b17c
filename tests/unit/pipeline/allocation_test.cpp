// SPDX-License-Identifier: Apache-2.0
// Serving a row allocates nothing, and a model that memory has no room for is refused by a typed error. The operators below count what a thread allocates; they are not inlined, because a
// compiler that sees through half of a pair warns of a mismatch.
#include "rides.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <limits>
#include <new>
#include <thread>

namespace allocation_test {

namespace {

thread_local std::int64_t allocations = 0;
thread_local std::size_t largest_bytes = std::numeric_limits<std::size_t>::max();  // what asks for more gets none

void* counted(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    ++allocations;
    return memory;
}

}  // namespace

}  // namespace allocation_test

[[gnu::noinline]] void* operator new(std::size_t size) {
    return allocation_test::counted(size > allocation_test::largest_bytes ? nullptr
                                                                          : std::malloc(size == 0 ? 1 : size));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto align = static_cast<std::size_t>(alignment);
    return allocation_test::counted(size > allocation_test::largest_bytes
                                        ? nullptr
                                        : std::aligned_alloc(align, (size + align - 1) / align * align));
}
// The standard's form that does not throw calls the one above; a sanitizer's would take its own memory instead.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    void* memory = std::malloc(size == 0 ? 1 : size);
    allocation_test::allocations += memory != nullptr;
    return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace allocation_test {

namespace pt = partita;
using namespace rides;

namespace {

struct Wide {
    pt::Vector<float> features;
    float target = 0;
};
BOOST_DESCRIBE_STRUCT(Wide, (), (features, target))

auto wide_pipeline() { return pt::StandardScale<"features">{} | pt::LinearRegression<"features", "target">{.l2 = 1}; }

pt::Fitted<decltype(wide_pipeline()), Wide> fit_wide(const std::vector<float>& pool, std::size_t width) {
    std::vector<Wide> rows;
    for (std::size_t i = 0; i < 60; ++i)
        rows.push_back({pt::Vector<float>(pool.data() + i, width), static_cast<float>(i % 7)});
    pt::LocalSession session(quiet());
    return wide_pipeline().fit(pt::as_train(pt::dataset(session, rows)));
}

template <class Action>
std::int64_t allocations_of(Action action) {
    const std::int64_t before = allocations;
    action();
    return allocations - before;
}

}  // namespace

TEST_CASE("the counter counts", "[pipeline][serving]") {
    CHECK(allocations_of([] { std::vector<std::string>(3, std::string(100, 'x')); }) >= 4);
}

TEST_CASE("predict allocates nothing", "[pipeline][serving]") {
    const Model model = pt::from_bytes<Model>(pt::to_bytes(fit()));
    const std::vector<Ride> rows = make();
    std::vector<Request> requests;
    for (const Ride& ride : rows) requests.push_back(request(ride));
    requests[7].town = "nowhere";
    requests[8].town = model.intern<"town">("Ulm");
    double sum = 0;
    CHECK(allocations_of([&] {
              for (const Request& row : requests) sum += model.predict(row);
          }) == 0);
    CHECK(std::isfinite(sum));
    CHECK(allocations_of([&] { sum += model.transform<"root_km">(requests[0]); }) == 0);

    std::int64_t by_another = -1;
    std::thread([&] { by_another = allocations_of([&] { sum += model.predict(requests[3]); }); }).join();
    CHECK(by_another == 0);
}

TEST_CASE("vectors of 4 KiB in all lie on the stack, wider ones want a scorer", "[pipeline][serving]") {
    std::vector<float> pool(3'100);
    for (std::size_t i = 0; i < pool.size(); ++i) pool[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    const auto narrow = fit_wide(pool, 500);
    const Wide row{pt::Vector<float>(pool.data(), 500), 0};
    double value = 0;
    CHECK(allocations_of([&] { value = narrow.predict(row); }) == 0);

    const auto wide = fit_wide(pool, 1'500);  // 6000 bytes
    const Wide wide_row{pt::Vector<float>(pool.data() + 4, 1'500), 0};
    CHECK(allocations_of([&] { value = wide.predict(wide_row); }) > 0);
    auto scorer = wide.scorer();
    const double first = scorer.predict(wide_row);
    CHECK(allocations_of([&] { value = scorer.predict(wide_row); }) == 0);
    CHECK(value == first);
    CHECK(value == wide.predict(wide_row));
}

TEST_CASE("a model that does not fit into memory is refused as a file is", "[pipeline][model_file]") {
    const std::vector<float> pool(4096 + 60, 1.0f);
    const auto model = fit_wide(pool, 4096);
    std::string bytes = pt::to_bytes(model);
    largest_bytes = 4096;
    std::string cause, sentence;
    try {
        static_cast<void>(
            pt::from_bytes<pt::Fitted<decltype(wide_pipeline()), Wide>>(std::move(bytes), "wide.safetensors"));
    } catch (const pt::ModelFileInvalid& error) {
        largest_bytes = std::numeric_limits<std::size_t>::max();
        sentence = error.what();
    } catch (...) {
        cause = "another";
    }
    largest_bytes = std::numeric_limits<std::size_t>::max();
    CHECK(cause.empty());
    CHECK(sentence.find("wide.safetensors") != std::string::npos);
    CHECK(sentence.find("does not fit into memory") != std::string::npos);
}

}  // namespace allocation_test
