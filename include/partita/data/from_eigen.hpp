// SPDX-License-Identifier: Apache-2.0
#pragma once

// Datasets of Eigen's matrices and maps. The one header that includes Eigen.

#include <partita/data/from_memory.hpp>

#include <Eigen/Core>

namespace partita::inline PARTITA_ABI {

/// A dataset with the columns `features` (the rows of X, n x p) and `target` (n values) of Eigen's dense matrices, arrays or
/// maps. A row-major X with contiguous rows, and y, are borrowed and must outlive the dataset; a column-major X is copied.
/// Errors: WrongWidth if X and y have different numbers of rows.
template <class X, class Y>
auto dataset(Session& session, const Eigen::DenseBase<X>& x, const Eigen::DenseBase<Y>& y) {
    using T = typename X::Scalar;
    using Target = typename Y::Scalar;
    static_assert((X::Flags & Eigen::DirectAccessBit) != 0 && (Y::Flags & Eigen::DirectAccessBit) != 0,
                  "dataset takes matrices, arrays and maps with their numbers in memory; evaluate an expression first");
    static_assert(Y::IsVectorAtCompileTime, "the target is a vector of one number a row");
    const auto rows = static_cast<std::size_t>(x.rows()), columns = static_cast<std::size_t>(x.cols());
    const std::span<const Target> target(y.derived().data(), static_cast<std::size_t>(y.size()));
    const bool contiguous = y.derived().innerStride() == 1 || y.size() <= 1;
    if (!contiguous)
        throw WrongWidth("the values of the target do not lie one after the other; copy them into a vector first");
    if ((X::Flags & Eigen::RowMajorBit) != 0 && x.derived().innerStride() == 1) {
        return dataset(
            session,
            MatrixView<const T>(x.derived().data(), rows, columns, static_cast<std::size_t>(x.derived().outerStride())),
            target);
    }
    using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto copy = std::make_shared<RowMajor>(x.derived());
    return detail::dataset_keeping(session, MatrixView<const T>(copy->data(), rows, columns), target, copy);
}

}  // namespace partita::inline PARTITA_ABI
