// SPDX-License-Identifier: Apache-2.0
#include "rides.hpp"

#include <catch2/catch.hpp>

namespace pt = partita;
using namespace rides;

namespace {

struct OnlyKm {
    float km = 0;
};
BOOST_DESCRIBE_STRUCT(OnlyKm, (), (km))

}  // namespace

// ---- leaks through what a learner predicts -------------------------------------------------------------------------------
template <class... Stages>
constexpr bool leaks = pt::detail::LastNode<Ride, Stages...>::mistake.cause == pt::detail::Mistake::Cause::leak;
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

TEST_CASE("a second learner takes predictions of another target, and a row needs no target", "[pipeline][leak]") {
    pt::LocalSession session(quiet());
    const auto two = OfKm{} | pt::Impute<"tip">{} | Learner<"tip", "p">{} | pt::Assemble<"p", "y">{} | Second<"fare">{};
    const auto model = two.fit(pt::as_train(pt::dataset(session, make())));
    const double at_1 = model.predict(OnlyKm{1}), at_37 = model.predict(OnlyKm{37});  // the fare is 3 + 2 km
    CHECK(at_1 == Approx(5).margin(1));
    CHECK(at_37 == Approx(77).margin(1));
}
