// SPDX-License-Identifier: Apache-2.0
#include "rides.hpp"

#include <catch2/catch.hpp>

namespace leak_test {

namespace pt = partita;
using namespace rides;

namespace {

struct OnlyKm {
    float km = 0;
};
BOOST_DESCRIBE_STRUCT(OnlyKm, (), (km))

}  // namespace

// ---- leaks through what a learner predicts -------------------------------------------------------------------------------
template <class Table, class... Stages>
constexpr bool leaks_after = pt::detail::LastNode<Table, Stages...>::mistake.cause == pt::detail::Mistake::Cause::leak;
template <class... Stages>
constexpr bool leaks = leaks_after<Ride, Stages...>;
template <pt::Name Target, pt::Name Output>
using Learner = pt::LinearRegression<"x", Target, Output>;
template <pt::Name Target>
using Second = pt::LinearRegression<"y", Target, "second">;
using OfKm = pt::Assemble<"km", "x">;
static_assert(leaks<OfKm, Learner<"fare", "p">, pt::Assemble<"p", "y">, Second<"fare">>);
static_assert(leaks<OfKm, Learner<"fare", "p">, pt::StandardScale<"p">, pt::Assemble<"p", "km", "y">, Second<"fare">>);
static_assert(leaks<OfKm, pt::Impute<"tip">, Learner<"fare", "p">, pt::Assemble<"p", "z">,
                    pt::LinearRegression<"z", "tip", "q">, pt::Assemble<"q", "y">, Second<"fare">>);
static_assert(!leaks<OfKm, pt::Impute<"tip">, Learner<"tip", "p">, pt::Assemble<"p", "y">, Second<"fare">>);
static_assert(!leaks<OfKm, Learner<"fare", "p">, pt::Assemble<"km", "y">, Second<"fare">>);

// ---- leaks through an earlier fit, whose transformed table is now learned from -------------------------------------------
using Prepared = pt::After<pt::Pipeline<pt::Assemble<"fare", "km", "both">, OfKm>, Ride>;
static_assert(leaks_after<Prepared, pt::LinearRegression<"both", "fare">>);
static_assert(leaks_after<Prepared, pt::StandardScale<"both">, pt::LinearRegression<"both", "fare">>);
static_assert(!leaks_after<Prepared, pt::LinearRegression<"x", "fare">>);
static_assert(!leaks_after<Prepared, pt::StandardScale<"x">, pt::LinearRegression<"x", "fare">>);
static_assert(leaks_after<Prepared, pt::LinearRegression<"both", "km">> && leaks_after<Prepared, Learner<"km", "p">>);
using PreparedTwice = pt::After<pt::Pipeline<pt::StandardScale<"both">, pt::StandardScale<"fare">>, Prepared>;
static_assert(leaks_after<PreparedTwice, pt::LinearRegression<"both", "fare">>);
static_assert(!leaks_after<PreparedTwice, pt::LinearRegression<"x", "fare">>);
using Predicted = pt::After<pt::Pipeline<OfKm, Learner<"fare", "p">>, Ride>;
static_assert(leaks_after<Predicted, pt::Assemble<"p", "y">, Second<"fare">>);

template <pt::Name... Names>
using Chosen = decltype(std::declval<pt::Dataset<Prepared>>().select<Names...>())::row_type;
static_assert(std::is_same_v<Chosen<"fare">, pt::Schema<pt::Column<"fare", float>>>);
static_assert(  // also what it was computed from and is not chosen; "x" is the column km, in another shape
    std::is_same_v<Chosen<"x", "fare">,
                   pt::Schema<pt::RenamedColumn<pt::ComputedColumn<"x", pt::Vector<float>, "km">, "km">,
                              pt::Column<"fare", float>>>);
static_assert(leaks_after<Chosen<"both", "fare", "x">, pt::LinearRegression<"both", "fare">>);
static_assert(!leaks_after<Chosen<"both", "fare", "x">, pt::LinearRegression<"x", "fare">>);

// ---- what a transformed table knows of columns that are in another one ---------------------------------------------------
template <class Table, pt::Name... Names>
using Of = typename decltype(std::declval<pt::Dataset<Table>>().template select<Names...>())::row_type;
using Means = pt::Schema<pt::Column<"night", bool>, pt::ComputedColumn<"mean", double, "fare", "night">>;
using Scaled = pt::After<pt::Pipeline<pt::StandardScale<"mean">, pt::Assemble<"mean", "night", "both">>, Means>;
static_assert(std::is_same_v<Of<Scaled, "mean">, pt::Schema<pt::ComputedColumn<"mean", double, "night", "fare">>>);
static_assert(std::is_same_v<Of<Scaled, "both">,
                             pt::Schema<pt::ComputedColumn<"both", pt::Vector<double>, "night", "mean", "fare">>>);
static_assert(std::is_same_v<Of<Scaled, "night">, pt::Schema<pt::Column<"night", bool>>>);
using ScaledTwice = pt::After<pt::Pipeline<pt::Assemble<"both", "b">>, Scaled>;
static_assert(
    std::is_same_v<Of<ScaledTwice, "b">,
                   pt::Schema<pt::RenamedColumn<
                       pt::ComputedColumn<"b", pt::Vector<double>, "night", "mean", "both", "fare">, "both">>>);
// Also names that a later column took, and columns computed from one that was computed from several.
using Taken = pt::After<pt::Pipeline<OfKm, pt::Assemble<"km", "night", "y">, pt::Assemble<"km", "fare", "km">,
                                     pt::StandardScale<"y">, pt::Assemble<"y", "z">>,
                        Ride>;
static_assert(
    std::is_same_v<Of<Taken, "y">, pt::Schema<pt::ComputedColumn<"y", pt::Vector<float>, "km", "night", "x", "z">>>);
static_assert(std::is_same_v<
              Of<Taken, "z">,
              pt::Schema<pt::RenamedColumn<pt::ComputedColumn<"z", pt::Vector<float>, "km", "night", "x", "y">, "y">>>);

TEST_CASE("a second learner takes predictions of another target, and a row needs no target", "[pipeline][leak]") {
    pt::LocalSession session(quiet());
    const auto two = OfKm{} | pt::Impute<"tip">{} | Learner<"tip", "p">{} | pt::Assemble<"p", "y">{} | Second<"fare">{};
    const auto model = two.fit(pt::as_train(pt::dataset(session, make())));
    const double at_1 = model.predict(OnlyKm{1}), at_37 = model.predict(OnlyKm{37});  // the fare is 3 + 2 km
    CHECK(at_1 == Approx(5).margin(1));
    CHECK(at_37 == Approx(77).margin(1));
}

}  // namespace leak_test
