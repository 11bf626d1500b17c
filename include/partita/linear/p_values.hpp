// SPDX-License-Identifier: Apache-2.0
#pragma once

// How surprising a coefficient is. A header of its own, because Student's distribution costs more to compile than the fit.

#include <partita/linear/linear_regression.hpp>

#include <boost/math/distributions/students_t.hpp>

#include <cmath>
#include <vector>

namespace partita::inline PARTITA_ABI {

/// The chance that |t| is at least as large as this if the coefficient is zero: 2·(1 - F(|t|)), where F is Student's
/// distribution. NaN where t is; 0 where it is infinite. `degrees_of_freedom` is above 0.
inline double p_value(double t, double degrees_of_freedom) {
    if (std::isnan(t)) return t;
    if (std::isinf(t)) return 0;
    const boost::math::students_t_distribution<double> student(degrees_of_freedom);
    return 2 * boost::math::cdf(boost::math::complement(student, std::fabs(t)));
}

/// The two-sided p value of each coefficient; empty where the fit gives no standard errors.
inline std::vector<double> p_values(const LinearModel& model) {
    std::vector<double> p = model.t_values();
    for (double& value : p) value = p_value(value, model.degrees_of_freedom());
    return p;
}

}  // namespace partita::inline PARTITA_ABI
