// SPDX-License-Identifier: Apache-2.0
#pragma once

// Datasets of what a program already has in memory: ranges of row structs, and plain matrices.

#include <partita/data/dataset.hpp>

namespace partita::inline PARTITA_ABI {

/// The table that `dataset(session, X, y)` makes of matrices.
template <class T, class Target>
using MatrixRow = Schema<Column<"features", Vector<T>>, Column<"target", Target>>;

namespace detail {

/// One value appended to the raw parts of a column.
template <class T>
class RawColumn {
  public:
    void append(const T& value) {
        if constexpr (column_type<T>.nullable) {
            values_.append(value.value_or(typename T::value_type{}));
            if (rows_ % 8 == 0) validity_.push_back(0);
            if (value) validity_.back() = static_cast<std::uint8_t>(validity_.back() | 1U << (rows_ % 8));
        } else if constexpr ((kind_bit(column_type<T>.kind) & text_kinds) != 0) {
            texts_.emplace_back(std::string_view(value));
        } else if constexpr ((kind_bit(column_type<T>.kind) & dense_vector_kinds) != 0) {
            if (rows_ > 0 && value.size() != width_)
                throw WrongWidth("a vector has " + std::to_string(value.size()) + " elements and those before it " +
                                 std::to_string(width_) + "; a column has one width");
            width_ = value.size();
            numbers_.insert(numbers_.end(), value.begin(), value.end());
        } else {
            numbers_.push_back(value);
        }
        ++rows_;
    }
    ColumnData finish() {
        ColumnData column;
        if constexpr (column_type<T>.nullable) {
            column = values_.finish();
            column.validity = Buffer::copy_of(validity_);
        } else if constexpr (column_type<T>.kind == Kind::category) {
            ColumnBuilder builder(column_type<Category>);
            std::vector<std::int32_t> codes(rows_);
            for (std::size_t i = 0; i < rows_; ++i) codes[i] = static_cast<std::int32_t>(i);
            ColumnSlice slice;
            slice.type = column_type<Category>;
            slice.rows = rows_;
            slice.values = codes.data();
            slice.dictionary = texts_.data();
            slice.dictionary_size = rows_;
            builder.append(slice);
            column = builder.finish();
        } else if constexpr (column_type<T>.kind == Kind::text) {
            std::vector<std::int64_t> offsets{0};
            std::vector<char> bytes;
            for (std::string_view text : texts_) {
                bytes.insert(bytes.end(), text.begin(), text.end());
                offsets.push_back(static_cast<std::int64_t>(bytes.size()));
            }
            column.values = Buffer::copy_of(bytes);
            column.offsets = Buffer::copy_of(offsets);
        } else {
            column.values = Buffer::copy_of(numbers_);
            column.width = width_;
        }
        column.type = column_type<T>;
        column.rows = rows_;
        return column;
    }

  private:
    template <class V>
    struct Parts {
        using number = V;
        using inner = char;
    };
    template <class V>
    struct Parts<std::optional<V>> {
        using number = char;
        using inner = RawColumn<V>;
    };
    template <class V, std::int64_t E>
    struct Parts<Vector<V, E>> {
        using number = V;
        using inner = char;
    };
    // std::vector<bool> has no storage of bools to copy
    using Number =
        std::conditional_t<std::is_same_v<typename Parts<T>::number, bool>, std::uint8_t, typename Parts<T>::number>;

    std::vector<Number> numbers_;
    std::vector<std::string_view> texts_;
    std::vector<std::uint8_t> validity_;
    [[no_unique_address]] typename Parts<T>::inner values_{};
    std::size_t rows_ = 0, width_ = 0;
};

template <class T>
using StoredValue = ValueType<column_type<T>>;

/// One member of structs that lie `stride_bytes` apart, as a column. Compiled once for a type, however many members have it.
template <class Member>
ColumnData column_of_member(const void* first, std::size_t stride_bytes, std::size_t rows) {
    using Value = StoredValue<Member>;
    RawColumn<Value> column;
    for (std::size_t i = 0; i < rows; ++i)
        column.append(as_column_value<Value>(
            *reinterpret_cast<const Member*>(static_cast<const std::byte*>(first) + i * stride_bytes)));
    return column.finish();
}
struct MemberColumn {
    const void* first;  ///< of the first struct
    ColumnData (*read)(const void*, std::size_t, std::size_t);
};
inline std::vector<ColumnData> columns_of_members(std::span<const MemberColumn> members, std::size_t stride_bytes,
                                                  std::size_t rows) {
    std::vector<ColumnData> columns;
    columns.reserve(members.size());
    for (const MemberColumn& member : members) columns.push_back(member.read(member.first, stride_bytes, rows));
    return columns;
}

template <class Row, class... D>
std::vector<ColumnData> columns_of_structs(std::span<const Row> rows, boost::mp11::mp_list<D...>*) {
    if (rows.empty()) return std::vector<ColumnData>(sizeof...(D));
    const Row& first = rows.front();
    const MemberColumn members[] = {{__builtin_addressof(first.*D::pointer),
                                     &column_of_member<std::remove_cvref_t<decltype(first.*D::pointer)>>}...};
    return columns_of_members(members, sizeof(Row), rows.size());
}

}  // namespace detail

/// A dataset of row structs, which are copied column by column; texts too. Every worker passes the same rows and keeps its share.
template <class Row>
Dataset<Row, Unsplit> dataset(Session& session, std::span<const Row> rows) {
    if constexpr (detail::demand_row<Row, detail::is_described<Row>>()) {
        using Members = boost::mp11::mp_rename<detail::RowMembers<Row>, boost::mp11::mp_list>;
        detail::Chunks chunks;
        session.communicator().agree(attempt([&] {
            chunks = detail::share_of_rows<Chunk>(
                session, rows.size(), detail::default_chunk_blocks, [&](std::size_t first, std::size_t count) {
                    return std::make_shared<const Chunk>(
                        static_cast<std::int64_t>(first), count,
                        detail::columns_of_structs(rows.subspan(first, count), static_cast<Members*>(nullptr)));
                });
        }));
        const auto made = detail::make_dataset<Row>(session, std::move(chunks));
        detail::check_widths(made.state());
        return made;
    } else {
        return Dataset<Row, Unsplit>(nullptr, {});  // the compilation has failed
    }
}
template <class Row>
Dataset<Row, Unsplit> dataset(Session& session, const std::vector<Row>& rows) {
    return dataset(session, std::span<const Row>(rows));
}

namespace detail {

/// A dataset of a matrix that `owner` keeps alive, or of one that the caller does if there is none.
template <class T, class Y>
Dataset<MatrixRow<std::remove_const_t<T>, std::remove_const_t<Y>>, Unsplit> dataset_keeping(
    Session& session, MatrixView<T> x, std::span<Y> y, std::shared_ptr<void> owner) {
    using Row = MatrixRow<std::remove_const_t<T>, std::remove_const_t<Y>>;
    Chunks chunks;
    session.communicator().agree(attempt([&] {
        if (x.rows() != y.size())
            throw WrongWidth("the matrix has " + std::to_string(x.rows()) + " rows and the target " +
                             std::to_string(y.size()) + " values; give one value a row");
        chunks =
            share_of_rows<Chunk>(session, x.rows(), default_chunk_blocks, [&](std::size_t first, std::size_t rows) {
                std::vector<ColumnData> columns(2);
                columns[0].type = columns_of<Row>[0].type;
                columns[0].rows = columns[1].rows = rows;
                columns[0].width = x.columns();
                if (x.stride() == x.columns()) {
                    columns[0].values = Buffer::borrow(x[first].data(), rows * x.columns() * sizeof(T), owner);
                } else {
                    columns[0].values = Buffer::allocate(rows * x.columns() * sizeof(T));
                    auto* to = columns[0].values.template mutable_as<std::remove_const_t<T>>();
                    for (std::size_t row = 0; row < rows; ++row)
                        std::copy(x[first + row].begin(), x[first + row].end(), to + row * x.columns());
                }
                columns[1].type = columns_of<Row>[1].type;
                columns[1].values = Buffer::borrow(y.data() + first, rows * sizeof(Y));
                return std::make_shared<const Chunk>(static_cast<std::int64_t>(first), rows, std::move(columns));
            });
    }));
    const auto made = make_dataset<Row>(session, std::move(chunks));
    check_widths(made.state());
    return made;
}

}  // namespace detail

/// A dataset with the columns `features` (the rows of X, n x p) and `target` (n values), without a copy: both must outlive it.
/// Errors: WrongWidth if X and y have different numbers of rows, or the workers' matrices different widths.
template <class T, class Y>
auto dataset(Session& session, MatrixView<T> x, std::span<Y> y) {
    return detail::dataset_keeping(session, x, y, nullptr);
}

}  // namespace partita::inline PARTITA_ABI
