// SPDX-License-Identifier: Apache-2.0
#include <partita/linear/p_values.hpp>

#include <catch2/catch.hpp>

#include <limits>

namespace p_values_test {

namespace pt = partita;

static_assert(std::is_same_v<decltype(pt::p_values(std::declval<const pt::LinearModel&>())), std::vector<double>>);

TEST_CASE("p values are SciPy's", "[linear]") {  // scipy 1.17.1: 2·t.sf(|t|, degrees of freedom)
    CHECK(pt::p_value(2.0, 10) == Approx(0.07338803477074037).epsilon(1e-13));
    CHECK(pt::p_value(-0.5, 3.5) == Approx(0.6468504393225509).epsilon(1e-13));
    CHECK(pt::p_value(1e-3, 1e6) == Approx(0.9992021157716492).epsilon(1e-13));
    CHECK(pt::p_value(12.0, 9000) == Approx(6.332033318338466e-33).epsilon(1e-9));
    CHECK(pt::p_value(40, 50) == Approx(1.2412423784372691e-39).epsilon(1e-9));
    CHECK(pt::p_value(0, 5) == 1);
    CHECK(pt::p_value(-std::numeric_limits<double>::infinity(), 5) == 0);
    CHECK(std::isnan(pt::p_value(std::numeric_limits<double>::quiet_NaN(), 5)));
    CHECK(pt::p_values(pt::LinearModel()).empty());
}

}  // namespace p_values_test
