// SPDX-License-Identifier: Apache-2.0
#include "views.hpp"

#include <partita/feature/assemble.hpp>

#include <catch2/catch.hpp>

namespace assemble_test {

namespace pt = partita;

using Stage = pt::Assemble<"a", "b", "features">;
static_assert(pt::Stage<Stage>);
static_assert(pt::Stage<pt::AssembleSparse<"a", "features">>);
static_assert(Stage::Inputs::size == 2 && Stage::Inputs::inputs[1].name == "b");
static_assert(
    std::is_same_v<Stage::OutputsFor<float, pt::OneHot>, pt::Columns<pt::Column<"features", pt::Vector<float>>>>);
static_assert(
    std::is_same_v<Stage::OutputsFor<bool, std::int16_t>, pt::Columns<pt::Column<"features", pt::Vector<float>>>>);
static_assert(std::is_same_v<Stage::OutputsFor<float, int>, pt::Columns<pt::Column<"features", pt::Vector<double>>>>);
static_assert(std::is_same_v<Stage::OutputsFor<float, pt::Vector<double, 2>>,
                             pt::Columns<pt::Column<"features", pt::Vector<double>>>>);
static_assert(std::is_same_v<pt::AssembleSparse<"a", "b", "f">::OutputsFor<float, pt::SparseVector<float>>,
                             pt::Columns<pt::Column<"f", pt::SparseVector<float>>>>);
static_assert(!Stage::Inputs::inputs[0].takes(pt::column_type<std::optional<float>>));
static_assert(!Stage::Inputs::inputs[0].takes(pt::column_type<pt::Category>));
static_assert(std::is_empty_v<Stage>);

namespace {

// Three rows of a number, a vector of two, a one-hot of three, a sparse vector of two and a flag.
struct Inputs {
    std::vector<float> number{1, 2, 3};
    std::vector<float> vectors{10, 11, 0, 21, 30, 31};
    std::vector<std::int32_t> hot{2, -1, 0};
    columns::Sparse<float> sparse{2, {{{1, 7.0f}}, {}, {{0, 8.0f}, {1, 9.0f}}}};
    bool flags[3] = {true, false, true};

    template <class F>
    auto with_rows(std::size_t first, std::size_t count, F f) const {
        const pt::SparseView<float> s = sparse.view();
        return f(std::span<const float>(number).subspan(first, count),
                 pt::MatrixView<const float>(vectors.data() + 2 * first, count, 2),
                 pt::OneHotView{hot.data() + first, count, 3},
                 pt::SparseView<float>{s.offsets + first, s.indices, s.values, count, 2},
                 std::span<const bool>(flags + first, count));
    }
};

const std::vector<float> expected{1, 10, 11, 0, 0, 1, 0, 7, 1, 2, 0, 21, 0, 0, 0, 0, 0, 0, 3, 30, 31, 1, 0, 0, 8, 9, 1};
using All = pt::Assemble<"n", "v", "h", "s", "f", "features">;
using AllSparse = pt::AssembleSparse<"n", "v", "h", "s", "f", "features">;

}  // namespace

TEST_CASE("columns of all kinds stand side by side", "[feature]") {
    const Inputs inputs;
    const std::size_t width = inputs.with_rows(0, 3, [](const auto&... views) { return All{}.output_width(views...); });
    REQUIRE(width == 9);
    std::vector<float> out(27, -1.0f);
    inputs.with_rows(0, 3, [&](const auto&... views) { All{}(views..., pt::MatrixView<float>(out.data(), 3, 9)); });
    CHECK(out == expected);
    for (std::size_t row = 0; row < 3; ++row) {
        std::vector<float> one(9, -1.0f);
        inputs.with_rows(row, 1,
                         [&](const auto&... views) { All{}(views..., pt::MatrixView<float>(one.data(), 1, 9)); });
        CHECK(one == std::vector<float>(expected.begin() + static_cast<long>(9 * row),
                                        expected.begin() + static_cast<long>(9 * row + 9)));
    }
}

TEST_CASE("many rows are assembled tile by tile", "[feature]") {
    std::vector<float> a(1000);
    std::vector<std::int32_t> b(1000);
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] = static_cast<float>(i);
        b[i] = static_cast<std::int32_t>(i % 5) - 1;
    }
    std::vector<double> out(5000, -1);
    Stage{}(columns::view(a), pt::OneHotView{b.data(), 1000, 4}, pt::MatrixView<double>(out.data(), 1000, 5));
    for (std::size_t i = 0; i < a.size(); ++i) {
        CHECK(out[5 * i] == a[i]);
        for (std::size_t c = 0; c < 4; ++c)
            CHECK(out[5 * i + 1 + c] == (static_cast<std::int32_t>(c) == b[i] ? 1.0 : 0.0));
    }
}

TEST_CASE("the sparse form has the same elements, without the zeros", "[feature]") {
    const Inputs inputs;
    columns::Sparse<float> out(9);
    inputs.with_rows(0, 3, [&](const auto&... views) {
        CHECK(AllSparse{}.output_width(views...) == 9);
        AllSparse{}(views..., out.output(3));
    });
    out.trim();
    std::vector<float> dense(27, 0.0f);
    REQUIRE(out.offsets == std::vector<std::int64_t>{0, 6, 8, 15});
    for (std::size_t row = 0; row < 3; ++row) {
        for (auto k = static_cast<std::size_t>(out.offsets[row]); k < static_cast<std::size_t>(out.offsets[row + 1]);
             ++k) {
            if (k > static_cast<std::size_t>(out.offsets[row])) CHECK(out.indices[k] > out.indices[k - 1]);
            CHECK(out.values[k] != 0.0f);
            dense[9 * row + static_cast<std::size_t>(out.indices[k])] = out.values[k];
        }
    }
    CHECK(dense == expected);
}

TEST_CASE("names of elements follow the inputs", "[feature]") {
    const std::vector<std::vector<std::string>> names{{"n"}, {"zone=a", "zone=b"}};
    CHECK(Stage{}.feature_names(names) == std::vector<std::string>{"n", "zone=a", "zone=b"});
}

}  // namespace assemble_test
