// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a column can hold: the value types of rows, and their description as a plain value that compile-time tables and
// run-time frames share.

#include <partita/core/borrows.hpp>
#include <partita/core/version.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace partita::inline PARTITA_ABI {

/// A point in time: microseconds since 1970-01-01 00:00:00 UTC. Local times are kept as they are written.
struct Timestamp {
    std::int64_t microseconds = 0;
    friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
};

/// Free text. In a row it is borrowed: the row must not outlive what it refers to.
struct Text {
    std::string_view text;
    constexpr Text() = default;
    constexpr Text(std::string_view value) : text(value) {}
    constexpr Text(const char* value) : text(value) {}
    constexpr operator std::string_view() const { return text; }
    friend constexpr bool operator==(Text a, Text b) { return a.text == b.text; }
};

/// A text of few distinct values. In a row it is borrowed text, or an id that a fitted model gave for it
/// (`model.intern<"zone">("JFK")`), which spares the look-up. Ids of one model mean nothing to another. A std::string is
/// borrowed like any other text: it must outlive the row.
struct Category {
    std::string_view text;
    std::int32_t id = -1;
    constexpr Category() = default;
    constexpr Category(std::string_view value) : text(value) {}
    constexpr Category(const char* value) : text(value) {}
    constexpr Category(const std::string& value) : text(value) {}
    constexpr operator std::string_view() const { return text; }
    friend constexpr bool operator==(Category a, Category b) { return a.text == b.text; }
};

/// The extent of vectors whose width is known only at run time.
inline constexpr std::int64_t dynamic = -1;

/// `Extent` numbers in one column. With a static extent a row holds them; with a dynamic one it borrows them.
template <class T, std::int64_t Extent = dynamic>
struct Vector : std::array<T, static_cast<std::size_t>(Extent)> {};
template <class T>
struct Vector<T, dynamic> : std::span<const T> {
    using std::span<const T>::span;
};

/// A vector that is mostly zero: ascending indices and their values. In a row both are borrowed.
template <class T>
struct SparseVector {
    std::span<const std::int32_t> indices;
    std::span<const T> values;
    std::size_t width = 0;
};

template <>
inline constexpr bool borrows<Text> = true;
template <>
inline constexpr bool borrows<Category> = true;
template <class T>
inline constexpr bool borrows<Vector<T>> = true;
template <class T>
inline constexpr bool borrows<SparseVector<T>> = true;

/// A vector with at most a single one in it, at `code`; what OneHotEncode makes of a category.
struct OneHot {
    std::int32_t code = -1;
    std::size_t width = 0;
};

/// The kinds of columns.
enum class Kind : std::uint8_t {
    none,
    boolean,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    float32,
    float64,
    timestamp,
    text,
    category,
    vector_float32,
    vector_float64,
    sparse_float32,
    sparse_float64,
    one_hot,
};

/// A set of kinds, for what a stage accepts.
using KindSet = std::uint32_t;
constexpr KindSet kind_bit(Kind kind) { return KindSet{1} << static_cast<unsigned>(kind); }

template <class... Kinds>
constexpr KindSet kinds_of(Kinds... kinds) {
    return (KindSet{0} | ... | kind_bit(kinds));
}

inline constexpr KindSet integer_kinds =
    kinds_of(Kind::int8, Kind::int16, Kind::int32, Kind::int64, Kind::uint8, Kind::uint16, Kind::uint32, Kind::uint64);
inline constexpr KindSet float_kinds = kinds_of(Kind::float32, Kind::float64);
inline constexpr KindSet number_kinds = integer_kinds | float_kinds | kind_bit(Kind::boolean);
inline constexpr KindSet dense_vector_kinds = kinds_of(Kind::vector_float32, Kind::vector_float64);
inline constexpr KindSet sparse_vector_kinds = kinds_of(Kind::sparse_float32, Kind::sparse_float64, Kind::one_hot);
inline constexpr KindSet text_kinds = kinds_of(Kind::text, Kind::category);

/// One column's type as a value: equal values mean equal C++ types.
struct ColumnType {
    Kind kind = Kind::none;
    bool nullable = false;
    std::int64_t extent = dynamic;  ///< of vectors

    friend constexpr bool operator==(const ColumnType&, const ColumnType&) = default;
};

namespace detail {

template <class T>
inline constexpr ColumnType column_type_of{};
template <> inline constexpr ColumnType column_type_of<bool>{Kind::boolean};
template <> inline constexpr ColumnType column_type_of<signed char>{Kind::int8};
template <> inline constexpr ColumnType column_type_of<short>{Kind::int16};
template <> inline constexpr ColumnType column_type_of<int>{Kind::int32};
template <> inline constexpr ColumnType column_type_of<long>{sizeof(long) == 8 ? Kind::int64 : Kind::int32};
template <> inline constexpr ColumnType column_type_of<long long>{Kind::int64};
template <> inline constexpr ColumnType column_type_of<unsigned char>{Kind::uint8};
template <> inline constexpr ColumnType column_type_of<unsigned short>{Kind::uint16};
template <> inline constexpr ColumnType column_type_of<unsigned>{Kind::uint32};
template <> inline constexpr ColumnType column_type_of<unsigned long>{sizeof(long) == 8 ? Kind::uint64 : Kind::uint32};
template <> inline constexpr ColumnType column_type_of<unsigned long long>{Kind::uint64};
template <> inline constexpr ColumnType column_type_of<float>{Kind::float32};
template <> inline constexpr ColumnType column_type_of<double>{Kind::float64};
template <> inline constexpr ColumnType column_type_of<Timestamp>{Kind::timestamp};
template <> inline constexpr ColumnType column_type_of<Text>{Kind::text};
template <> inline constexpr ColumnType column_type_of<std::string>{Kind::text};
template <> inline constexpr ColumnType column_type_of<std::string_view>{Kind::text};
template <> inline constexpr ColumnType column_type_of<Category>{Kind::category};
template <std::int64_t E> inline constexpr ColumnType column_type_of<Vector<float, E>>{Kind::vector_float32, false, E};
template <std::int64_t E> inline constexpr ColumnType column_type_of<Vector<double, E>>{Kind::vector_float64, false, E};
template <> inline constexpr ColumnType column_type_of<SparseVector<float>>{Kind::sparse_float32};
template <> inline constexpr ColumnType column_type_of<SparseVector<double>>{Kind::sparse_float64};
template <> inline constexpr ColumnType column_type_of<OneHot>{Kind::one_hot};
template <class T>
inline constexpr ColumnType column_type_of<std::optional<T>>{column_type_of<T>.kind, true, column_type_of<T>.extent};

template <Kind K, std::int64_t Extent> struct ValueOf;
template <> struct ValueOf<Kind::boolean, dynamic> : std::type_identity<bool> {};
template <> struct ValueOf<Kind::int8, dynamic> : std::type_identity<std::int8_t> {};
template <> struct ValueOf<Kind::int16, dynamic> : std::type_identity<std::int16_t> {};
template <> struct ValueOf<Kind::int32, dynamic> : std::type_identity<std::int32_t> {};
template <> struct ValueOf<Kind::int64, dynamic> : std::type_identity<std::int64_t> {};
template <> struct ValueOf<Kind::uint8, dynamic> : std::type_identity<std::uint8_t> {};
template <> struct ValueOf<Kind::uint16, dynamic> : std::type_identity<std::uint16_t> {};
template <> struct ValueOf<Kind::uint32, dynamic> : std::type_identity<std::uint32_t> {};
template <> struct ValueOf<Kind::uint64, dynamic> : std::type_identity<std::uint64_t> {};
template <> struct ValueOf<Kind::float32, dynamic> : std::type_identity<float> {};
template <> struct ValueOf<Kind::float64, dynamic> : std::type_identity<double> {};
template <> struct ValueOf<Kind::timestamp, dynamic> : std::type_identity<Timestamp> {};
template <> struct ValueOf<Kind::text, dynamic> : std::type_identity<Text> {};
template <> struct ValueOf<Kind::category, dynamic> : std::type_identity<Category> {};
template <std::int64_t E> struct ValueOf<Kind::vector_float32, E> : std::type_identity<Vector<float, E>> {};
template <std::int64_t E> struct ValueOf<Kind::vector_float64, E> : std::type_identity<Vector<double, E>> {};
template <> struct ValueOf<Kind::sparse_float32, dynamic> : std::type_identity<SparseVector<float>> {};
template <> struct ValueOf<Kind::sparse_float64, dynamic> : std::type_identity<SparseVector<double>> {};
template <> struct ValueOf<Kind::one_hot, dynamic> : std::type_identity<OneHot> {};

/// By parts rather than by a ColumnType: g++ 12 crashes on expansions of packs of class-type template arguments.
template <Kind K, bool Nullable, std::int64_t Extent>
struct ValueOfParts : ValueOf<K, Extent> {};
template <Kind K, std::int64_t Extent>
struct ValueOfParts<K, true, Extent> : std::type_identity<std::optional<typename ValueOf<K, Extent>::type>> {};

template <ColumnType Type>
struct ValueOfType {
    static constexpr Kind kind = Type.kind;
    static constexpr bool nullable = Type.nullable;
    static constexpr std::int64_t extent = Type.extent;
    using type = typename ValueOfParts<kind, nullable, extent>::type;
};

}  // namespace detail

/// The description of a C++ type as a column; `kind` is `Kind::none` for types that no column can hold.
template <class T>
inline constexpr ColumnType column_type = detail::column_type_of<std::remove_cv_t<T>>;

/// The C++ type that a column of this description holds: the inverse of `column_type`.
template <ColumnType Type>
using ValueType = typename detail::ValueOfType<Type>::type;

namespace detail {

/// A member of a user's row as the value that its column holds: std::string becomes borrowed Text, `long long` std::int64_t.
template <class T, class Given>
constexpr T as_column_value(const Given& given) {
    if constexpr (std::is_convertible_v<const Given&, T>) {
        return given;
    } else if constexpr (requires { given.has_value(); }) {
        return given ? T(as_column_value<typename T::value_type>(*given)) : T();
    } else {
        return T(std::string_view(given));
    }
}

}  // namespace detail

/// How many bytes one value takes in a column of fixed-width numbers; 0 for other kinds.
constexpr std::size_t width_bytes(Kind kind) {
    switch (kind) {
        case Kind::boolean:
        case Kind::int8:
        case Kind::uint8: return 1;
        case Kind::int16:
        case Kind::uint16: return 2;
        case Kind::int32:
        case Kind::uint32:
        case Kind::float32: return 4;
        case Kind::int64:
        case Kind::uint64:
        case Kind::float64:
        case Kind::timestamp: return 8;
        case Kind::category:
        case Kind::one_hot: return 4;
        case Kind::vector_float32:
        case Kind::sparse_float32: return 4;
        case Kind::vector_float64:
        case Kind::sparse_float64: return 8;
        default: return 0;
    }
}

/// The kind as a person would write it: "float", "Category".
constexpr std::string_view kind_name(Kind kind) {
    constexpr std::string_view names[] = {"?",
                                          "bool",
                                          "int8",
                                          "int16",
                                          "int32",
                                          "int64",
                                          "uint8",
                                          "uint16",
                                          "uint32",
                                          "uint64",
                                          "float",
                                          "double",
                                          "Timestamp",
                                          "Text",
                                          "Category",
                                          "Vector<float>",
                                          "Vector<double>",
                                          "SparseVector<float>",
                                          "SparseVector<double>",
                                          "OneHot"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace partita::inline PARTITA_ABI
