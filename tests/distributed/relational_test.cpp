// SPDX-License-Identifier: Apache-2.0
// Sorts, groups and joins of the flights tables against a naive program on lists of texts, under every policy.

#include "every_fault.hpp"
#include "every_policy.hpp"

#include <partita/data/from_memory.hpp>
#include <partita/data/group_by.hpp>
#include <partita/data/join.hpp>
#include <partita/data/rename.hpp>
#include <partita/data/sort.hpp>
#include <partita/data/top.hpp>
#include <partita/io/csv.hpp>

#include <boost/describe.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <map>
#include <stdexcept>

namespace relational_test {

namespace pt = partita;

namespace {

struct Flight {
    int month, day;
    std::optional<int> hour;
    std::optional<float> dep_delay, arr_delay;
    pt::Category carrier;
    std::optional<pt::Category> tailnum;
    pt::Category origin, dest;
    float distance;
};
BOOST_DESCRIBE_STRUCT(Flight, (), (month, day, hour, dep_delay, arr_delay, carrier, tailnum, origin, dest, distance))
struct Weather {
    pt::Category origin;
    int month, day, hour;
    std::optional<float> temp;
    float precip;
};
BOOST_DESCRIBE_STRUCT(Weather, (), (origin, month, day, hour, temp, precip))
struct Plane {
    pt::Text tailnum;  // a category among the flights
    std::optional<int> year;
    pt::Category manufacturer;
    int seats;
};
BOOST_DESCRIBE_STRUCT(Plane, (), (tailnum, year, manufacturer, seats))
struct Airport {
    pt::Category faa;
    double lat, lon;
    int alt;
};
BOOST_DESCRIBE_STRUCT(Airport, (), (faa, lat, lon, alt))

std::string path_of(const std::string& table) { return PARTITA_SOURCE_DIR "/tests/data/flights/" + table + ".csv"; }

// ---- the naive program ---------------------------------------------------------------------------------------------------

using Fields = std::vector<std::string>;

struct Table {
    Fields names;
    std::vector<Fields> rows;

    std::size_t column(const std::string& name) const {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) throw std::logic_error("no column " + name);
        return static_cast<std::size_t>(found - names.begin());
    }
    std::string text() const {
        std::string all;
        for (const Fields& row : rows) {
            for (const std::string& field : row) all += field + ",";
            all += "\n";
        }
        return all;
    }
};

Table naive_table(const std::string& name) {
    const auto split = [](const std::string& line) {
        Fields fields(1);
        for (const char c : line) c == ',' ? fields.emplace_back() : fields.back() += c;
        return fields;
    };
    std::ifstream file(path_of(name));
    std::string line;
    REQUIRE(std::getline(file, line));
    Table table{split(line), {}};
    while (std::getline(file, line)) table.rows.push_back(split(line));
    REQUIRE(table.rows.size() > 1000);
    return table;
}

/// Order of fields: those that are missing first, numbers by value.
bool field_before(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return a.empty() && !b.empty();
    const auto is_number = [](const std::string& field) {
        return field.find_first_not_of("-.0123456789") == field.npos;
    };
    return is_number(a) && is_number(b) ? std::stod(a) < std::stod(b) : a < b;
}

Table naive_sort(Table table, const std::vector<std::pair<std::string, bool>>& keys) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) table.rows[i].push_back(std::to_string(1'000'000 + i));
    std::sort(table.rows.begin(), table.rows.end(), [&](const Fields& a, const Fields& b) {
        for (const auto& [name, descending] : keys) {
            const std::size_t c = table.column(name);
            if (field_before(a[c], b[c])) return !descending;
            if (field_before(b[c], a[c])) return descending;
        }
        return a.back() < b.back();
    });
    for (Fields& row : table.rows) row.pop_back();
    return table;
}

Table naive_join(const Table& left, const Table& right, const Fields& keys, bool keep_unmatched) {
    const auto key_of = [&](const Table& table, const Fields& row) {
        std::string key;
        for (const std::string& name : keys) {
            const std::string& field = row[table.column(name)];
            if (field.empty()) return std::string();
            key += field + "|";
        }
        return key;
    };
    std::multimap<std::string, const Fields*> rows;
    for (const Fields& row : right.rows) rows.emplace(key_of(right, row), &row);
    Table joined{left.names, {}};
    for (const Fields& row : left.rows) {
        const std::string key = key_of(left, row);
        const auto add = [&](const Fields* match) {
            Fields both = row;
            for (std::size_t c = 0; c < right.names.size(); ++c)
                if (std::find(keys.begin(), keys.end(), right.names[c]) == keys.end())
                    both.push_back(match ? (*match)[c] : "");
            joined.rows.push_back(std::move(both));
        };
        const auto [first, last] = rows.equal_range(key);
        if (key.empty() || first == last) {
            if (keep_unmatched) add(nullptr);
        } else {
            for (auto match = first; match != last; ++match) add(match->second);
        }
    }
    return joined;
}

template <class T>
std::string number(T value) {
    char text[40];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

Table naive_groups(const Table& flights) {
    struct Group {
        double flights = 0, arrived = 0, known = 0, delays = 0, miles = 0, latest = -1e9;
        std::string first_plane;
    };
    std::map<std::pair<std::string, std::string>, Group> groups;
    for (const Fields& row : flights.rows) {
        Group& group = groups[{row[flights.column("carrier")], row[flights.column("origin")]}];
        group.flights += 1;
        group.arrived += row[flights.column("arr_delay")].empty() ? 0 : 1;
        if (const std::string& delay = row[flights.column("dep_delay")]; !delay.empty()) {
            group.known += 1;
            group.delays += std::stod(delay);
            group.latest = std::max(group.latest, std::stod(delay));
        }
        group.miles += std::stod(row[flights.column("distance")]);
        const std::string& plane = row[flights.column("tailnum")];
        if (!plane.empty() && (group.first_plane.empty() || plane < group.first_plane)) group.first_plane = plane;
    }
    Table table;
    for (const auto& [key, group] : groups)
        table.rows.push_back({key.first, key.second, number(group.flights), number(group.arrived),
                              group.known > 0 ? number(group.delays / group.known) : "", number(group.miles),
                              group.first_plane, group.known > 0 ? number(group.latest) : ""});
    return table;
}

// ---- the same of a frame ---------------------------------------------------------------------------------------------------

std::string text_of(const pt::Chunk& chunk) {
    std::string all;
    for (std::size_t row = 0; row < chunk.rows(); ++row) {
        if (chunk.row_id(row) != static_cast<std::int64_t>(row))
            return "row " + std::to_string(row) + " has another id";
        for (std::size_t c = 0; c < chunk.column_count(); ++c, all += ",") {
            const pt::ColumnSlice slice = chunk.column(c).all();
            if (!slice.valid(row)) continue;
            switch (slice.type.kind) {
                case pt::Kind::int32: all += std::to_string(slice.as<std::int32_t>()[row]); break;
                case pt::Kind::int64: all += std::to_string(slice.as<std::int64_t>()[row]); break;
                case pt::Kind::float32: all += number(slice.as<float>()[row]); break;
                case pt::Kind::float64: all += number(slice.as<double>()[row]); break;
                case pt::Kind::category: all += pt::view_of<pt::Category>(slice)[row]; break;
                default: all += pt::view_of<pt::Text>(slice)[row];
            }
        }
        all += "\n";
    }
    return all;
}

template <class Dataset>
std::string text_of(const Dataset& data) {
    return text_of(*data.collect().chunk());
}

/// What group_by can tell of flights.
template <class Flights>
auto groups_of(const Flights& flights) {
    return pt::group_by<"carrier", "origin">(flights, pt::CountOf<"flights">{}, pt::CountOf<"arr_delay", "arrived">{},
                                             pt::MeanOf<"dep_delay", "mean_delay">{}, pt::SumOf<"distance", "miles">{},
                                             pt::MinOf<"tailnum", "first_plane">{}, pt::MaxOf<"dep_delay", "latest">{});
}

}  // namespace

TEST_CASE("sorts, groups and joins of the flights equal a naive program under every policy", "[relational]") {
    const auto results = every_policy::gives_the_same([](pt::Session& session) {
        const auto flights = pt::read_csv<Flight>(session, path_of("flights"), {.chunk_blocks = 1});
        const auto weather = pt::read_csv<Weather>(session, path_of("weather"), {.chunk_blocks = 1});
        const auto planes = pt::read_csv<Plane>(session, path_of("planes"));
        const auto airports = pt::rename<"faa", "dest">(pt::read_csv<Airport>(session, path_of("airports")));
        constexpr pt::JoinSettings fetching{.broadcast_bytes = 0};
        return std::vector<std::string>{
            text_of(pt::sort<"origin", pt::descending("dep_delay"), "tailnum">(flights)),
            text_of(pt::top<pt::descending("arr_delay"), "day">(flights, 500)), text_of(groups_of(flights)),
            text_of(pt::left_join<"origin", "month", "day", "hour">(flights, weather)),
            text_of(pt::left_join<"origin", "month", "day", "hour">(flights, weather, fetching)),
            text_of(pt::join<"tailnum">(flights, planes)), text_of(pt::join<"tailnum">(flights, planes, fetching)),
            text_of(pt::left_join<"dest">(flights, airports)),
            // many rows to many, and a table that lies in few places
            text_of(pt::join<"manufacturer">(
                planes,
                pt::rename<"tailnum", "other">(
                    pt::top<pt::descending("year")>(planes, 40).select<"tailnum", "manufacturer">()),
                fetching))};
    });
    const Table flights = naive_table("flights"), weather = naive_table("weather"), planes = naive_table("planes");
    Table airports = naive_table("airports");
    airports.names[0] = "dest";
    Table top = naive_sort(flights, {{"arr_delay", true}, {"day", false}});
    top.rows.resize(500);
    CHECK(results[0] == naive_sort(flights, {{"origin", false}, {"dep_delay", true}, {"tailnum", false}}).text());
    CHECK(results[1] == top.text());
    CHECK(results[2] == naive_groups(flights).text());
    const std::string with_weather = naive_join(flights, weather, {"origin", "month", "day", "hour"}, true).text();
    CHECK(results[3] == with_weather);
    CHECK(results[4] == with_weather);
    const std::string with_planes = naive_join(flights, planes, {"tailnum"}, false).text();
    CHECK(results[5] == with_planes);
    CHECK(results[6] == with_planes);
    CHECK(results[7] == naive_join(flights, airports, {"dest"}, true).text());
    const Table newest = naive_sort(planes, {{"year", true}});
    Table others{{"other", "manufacturer"}, {}};
    for (std::size_t i = 0; i < 40; ++i) others.rows.push_back({newest.rows[i][0], newest.rows[i][2]});
    CHECK(results[8] == naive_join(planes, others, {"manufacturer"}, false).text());
}

TEST_CASE("a folder of files with quotes across the ranges of workers is one table in the order of paths",
          "[relational]") {
    using Note = pt::Schema<pt::Column<"note", pt::Text>, pt::Column<"number", int>>;
    const auto text = every_policy::gives_the_same([](pt::Session& session) {
        return text_of(pt::read_csv<Note>(session, PARTITA_SOURCE_DIR "/tests/data/csv_parts", {.range_bytes = 61}));
    });
    std::string expected;
    for (const char* name : {"Part-1", "part-10", "part-2"}) {  // by bytes
        std::ifstream file(std::string(PARTITA_SOURCE_DIR "/tests/data/csv_parts/") + name + ".csv");
        std::string line;
        std::getline(file, line);
        bool inside = false;
        for (char c; file.get(c);) {
            if (c == '"') {
                if (inside && file.peek() == '"') {
                    expected += static_cast<char>(file.get());
                } else {
                    inside = !inside;
                }
            } else {
                if (c == '\n' && !inside) expected += ',';
                expected += c;
            }
        }
    }
    CHECK(text == expected);
    CHECK(std::count(text.begin(), text.end(), '"') > 100);
    pt::LocalSession session;
    CHECK_THROWS_AS(pt::read_csv<Note>(session, PARTITA_SOURCE_DIR "/tests/data"), pt::FileError);
    CHECK_THROWS_AS(pt::csv_files_in("no/such/folder"), pt::FileError);
}

TEST_CASE("missing values, NaN, both zeros and texts have their places", "[relational]") {
    using Odd = pt::Schema<pt::Column<"x", std::optional<double>>, pt::Column<"t", pt::Text>, pt::Column<"n", int>>;
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const auto results = every_policy::gives_the_same([&](pt::Session& session) {
        // As many rows of each kind as make the workers of every run share them.
        const std::string nul("a\0", 2);
        const std::vector<std::pair<std::optional<double>, std::string>> kinds{
            {0.0, "b"}, {nan, "a"}, {{}, ""}, {-0.0, nul}, {inf, "ab"}, {-inf, "a"}, {-nan, "b"}, {-1.5, "\xff"}};
        pt::ColumnBuilder numbers(pt::column_type<std::optional<double>>), texts(pt::column_type<pt::Text>),
            positions(pt::column_type<int>);
        std::vector<double> x(9000);
        std::vector<std::uint8_t> valid((x.size() + 7) / 8);
        std::string bytes;
        std::vector<std::int64_t> offsets{0};
        std::vector<int> n(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            const auto& [number, text] = kinds[i * 5 % 8];
            x[i] = number.value_or(7);
            if (number) valid[i / 8] = static_cast<std::uint8_t>(valid[i / 8] | 1U << (i % 8));
            bytes += text;
            offsets.push_back(static_cast<std::int64_t>(bytes.size()));
            n[i] = static_cast<int>(i % 8);
        }
        const auto slice = [&](pt::ColumnType type, const void* values) {
            pt::ColumnSlice result;
            result.type = type;
            result.rows = x.size();
            result.values = values;
            return result;
        };
        pt::ColumnSlice of_numbers = slice(pt::column_type<std::optional<double>>, x.data());
        of_numbers.validity = valid.data();
        pt::ColumnSlice of_texts = slice(pt::column_type<pt::Text>, bytes.data());
        of_texts.offsets = offsets.data();
        numbers.append(of_numbers);
        texts.append(of_texts);
        positions.append(slice(pt::column_type<int>, n.data()));
        const auto whole = std::make_shared<const pt::Chunk>(
            0, x.size(), std::vector<pt::ColumnData>{numbers.finish(), texts.finish(), positions.finish()});
        const auto all = pt::detail::make_dataset<Odd>(
            session,
            pt::detail::deal_anew(session, session.primary() ? pt::detail::Chunks{whole} : pt::detail::Chunks{}, 3));
        const auto firsts = [](const auto& data) {  // of each run of equal values, and how long it is
            std::string text, last;
            const auto frame = data.collect();
            std::size_t run = 0;
            for (std::size_t row = 0; row <= frame.rows(); ++row, ++run) {
                std::string now;
                if (row < frame.rows()) now = std::to_string(frame.template column<"n">()[row]);
                if (now == last) continue;
                if (row > 0) text += last + "x" + std::to_string(run) + " ";
                last = now;
                run = 0;
            }
            return text;
        };
        const auto groups =
            pt::group_by<"x">(all, pt::CountOf<"rows">{}, pt::MinOf<"t", "low">{}, pt::MaxOf<"t", "high">{});
        const auto none = all.filter<"n">([](int) { return false; });
        return std::vector<std::string>{
            firsts(pt::sort<"x", "t">(all)),
            firsts(pt::sort<pt::descending("x"), "t">(all)),
            firsts(pt::sort<"t", "x">(all)),
            text_of(groups),
            text_of(pt::join<"x">(groups, pt::rename<"rows", "others">(groups).select<"x", "others">())),
            text_of(pt::sort<"x">(none)) + text_of(pt::group_by<"x">(none, pt::CountOf<"rows">{})) +
                text_of(pt::top<"x">(all, 0))};
    });
    // i * 5 % 8 takes the kinds in the order 0 5 2 7 4 1 6 3 for n = 0, 1, …, so n of a kind is where it stands there.
    CHECK(results[0] == "2x1125 1x1125 3x1125 7x1125 0x1125 4x1125 5x1125 6x1125 ");
    CHECK(results[1] == "5x1125 6x1125 4x1125 7x1125 0x1125 3x1125 1x1125 2x1125 ");
    CHECK(results[2] == "2x1125 1x1125 5x1125 7x1125 4x1125 0x1125 6x1125 3x1125 ");
    const std::string nul("a\0", 2);
    CHECK(results[3] ==
          ",1125,,,\n-inf,1125,a,a,\n-1.5,1125,\xff,\xff,\n0,2250," + nul + ",b,\ninf,1125,ab,ab,\nnan,2250,a,b,\n");
    CHECK(results[4] ==
          "-inf,1125,a,a,1125,\n-1.5,1125,\xff,\xff,1125,\n0,2250," + nul + ",b,2250,\ninf,1125,ab,ab,1125,\n");
    CHECK(results[5].empty());
}

TEST_CASE("a group's sum beyond 64 bits, and weighted rows, are refused on all workers", "[relational][in_process]") {
    using Row = pt::Schema<pt::Column<"key", int>, pt::Column<"value", std::int64_t>>;
    const std::string text = "key,value\n1,9223372036854775807\n2,5\n1,-7\n1,8\n";
    const auto sums = [&](pt::Session& session, bool fits) {
        const auto rows = pt::read_csv_text<Row>(session, text + (fits ? "1,-1\n" : ""));
        return text_of(pt::group_by<"key">(rows, pt::SumOf<"value", "sum">{}));
    };
    pt::LocalSession alone;
    CHECK(sums(alone, true) ==
          "1,9223372036854775807,\n2,5,\n");  // in whatever order, since 128 bits hold what is between
    const std::string refused =
        "numeric_overflow: the sum \"sum\" of a group lies beyond 64 bits; make the column a double "
        "by map before it is summed";
    for (const std::string& outcome : every_policy::outcomes(3, [&](pt::Session& session) { sums(session, false); }))
        CHECK_THAT(outcome, Catch::StartsWith(refused));
    const auto weighted = pt::read_csv_text<Row>(alone, text).weigh_by<"value">();
    CHECK_THROWS_AS(pt::group_by<"key">(weighted, pt::CountOf<"rows">{}), pt::InvalidSetting);
    CHECK(pt::sort<"key">(weighted).count() == 4);
}

TEST_CASE("sums and means of NaN, infinities and zeros", "[relational]") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    const std::vector<std::pair<const char*, std::vector<float>>> groups{
        {"+inf", {1, inf, -3}},   {"-inf", {-inf, 1, 2}}, {"-nan", {3, -nan, 1}},
        {"both", {inf, 0, -inf}}, {"nan", {1, nan, inf}}, {"zero", {-0.0f, -0.0f, -0.0f}}};
    std::vector<Flight> rows(9000);  // those of each group lie on several workers
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& [name, values] = groups[i % groups.size()];
        rows[i].carrier = "x";
        rows[i].origin = name;
        rows[i].distance = values[i / groups.size() % 3];
        if (i / groups.size() % 4 != 0) rows[i].dep_delay = rows[i].distance;
    }
    const std::string text = every_policy::gives_the_same(
        [&](pt::Session& session) { return text_of(groups_of(pt::dataset(session, rows))); });
    CHECK(text ==
          "x,+inf,1500,0,inf,inf,,inf,\nx,-inf,1500,0,-inf,-inf,,2,\nx,-nan,1500,0,nan,nan,,nan,\n"
          "x,both,1500,0,nan,nan,,inf,\nx,nan,1500,0,nan,nan,,nan,\nx,zero,1500,0,0,0,,0,\n");
}

// ---- workers that fail -----------------------------------------------------------------------------------------------------

namespace {

/// Rows of four blocks, so that every worker has some and most of their results lie on several, and what they are joined with.
struct Made {
    std::vector<Flight> flights = std::vector<Flight>(4 * 4096);
    std::vector<Weather> weather;
    std::vector<Plane> planes;
    std::vector<std::string> tails;  // which the rows borrow

    Made() {
        for (int i = 0; i < 400; ++i) tails.push_back("N" + std::to_string(i));
        static constexpr const char* towns[] = {"JFK", "EWR", "LGA", "BOS", "ORD"};
        for (std::size_t i = 0; i < flights.size(); ++i) {
            const int number = static_cast<int>(i);
            Flight& flight = flights[i];
            flight.month = 1 + number % 2;
            flight.day = 1 + number % 28;
            if (i % 13 != 0) flight.hour = number % 24;
            if (i % 7 != 0) flight.dep_delay = static_cast<float>(number * 37 % 101 - 20);
            if (i % 5 != 0) flight.arr_delay = static_cast<float>(number * 71 % 10'007);
            flight.carrier = i % 3 == 0 ? "AA" : "UA";
            if (i % 11 != 0) flight.tailnum = pt::Category(tails[i * 31 % 400]);
            flight.origin = towns[i % 3];
            flight.dest = towns[i % 5];
            flight.distance = static_cast<float>(100 + number % 999);
        }
        for (int i = 0; i < 3 * 2 * 14 * 24; ++i)
            weather.push_back({towns[i % 3], 1 + i / 3 % 2, 1 + i / 6 % 14, i / 84 % 24, {}, 0.25f});
        for (int i = 0; i < 300; ++i)
            planes.push_back({pt::Text(tails[static_cast<std::size_t>(i)]), 1990 + i % 20, "x", 100 + i});
    }
};

/// A sort, groups, joins of both kinds and a top.
std::string tables(pt::Session& session) {
    static const Made made;
    const auto flights = pt::dataset(session, made.flights);
    const auto weather = pt::dataset(session, made.weather);
    const auto planes = pt::dataset(session, made.planes);
    const auto sorted = pt::sort<"origin", pt::descending("dep_delay"), "tailnum">(flights);
    const auto joined =
        pt::left_join<"origin", "month", "day", "hour">(sorted, weather, pt::JoinSettings{.broadcast_bytes = 0});
    const auto known = pt::join<"tailnum">(flights, planes);
    return text_of(groups_of(flights)) + text_of(pt::top<pt::descending("arr_delay"), "day">(flights, 50)) +
           std::to_string(std::hash<std::string>{}(text_of(joined))) + "," +
           std::to_string(std::hash<std::string>{}(text_of(known)));
}

}  // namespace

TEST_CASE("at some calls of sorts, groups and joins every worker fails: ring", "[relational][faults][in_process]") {
    every_fault::at_calls(every_fault::ring, tables, 13, false);
}
TEST_CASE("every worker fails at every call of sorts, groups and joins, in every way", "[.full]") {
    every_fault::at_calls(every_fault::ring, tables, 1, true);
    every_fault::at_calls(every_fault::tree, tables, 5, true);
    every_fault::at_calls(every_fault::server, tables, 5, true);
}

}  // namespace relational_test
