// SPDX-License-Identifier: Apache-2.0
#pragma once

// The table that the tests of data/ share.

#include <partita/comm/run.hpp>
#include <partita/data/from_memory.hpp>

#include <boost/describe.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace sales {

namespace pt = partita;

struct Sale {
    pt::Timestamp when;
    pt::Category shop;
    pt::Text note;
    std::optional<float> rebate;
    double price = 0;
    int pieces = 0;
    bool online = false;
    pt::Vector<float, 2> place;
};
BOOST_DESCRIBE_STRUCT(Sale, (), (when, shop, note, rebate, price, pieces, online, place))

/// Row i depends on i alone; texts are literals, so rows may be copied.
inline std::vector<Sale> make(std::size_t count) {
    static constexpr const char* shops[] = {"north", "south", "", "east"};
    static constexpr const char* notes[] = {"", "fragile", "a, \"quoted\" note"};
    std::vector<Sale> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
        rows[i].when = pt::Timestamp{static_cast<std::int64_t>(i / 10) * 1'000'000 - 5'000'000};
        rows[i].shop = shops[i * 7 % 4];
        rows[i].note = notes[i % 3];
        if (i % 4 != 1) rows[i].rebate = static_cast<float>(i % 9) / 4;
        rows[i].price = std::sin(static_cast<double>(i));
        rows[i].pieces = static_cast<int>(i % 13);
        rows[i].online = i % 5 == 0;
        rows[i].place = {{{static_cast<float>(i), -1.5f}}};
    }
    return rows;
}

inline pt::RunSettings quiet(std::size_t threads = 2, std::size_t workers = 0) {
    return {.threads = threads, .workers = workers, .progress = pt::ShowProgress::never};
}

/// The ids of all rows, in order.
template <class Row, class Role>
std::vector<std::int64_t> ids(const pt::Dataset<Row, Role>& data) {
    const auto frame = data.collect();
    std::vector<std::int64_t> result;
    for (std::size_t row = 0; row < frame.rows(); ++row) result.push_back(frame.row_id(row));
    return result;
}

/// The rows of each chunk that this worker holds.
template <class Row, class Role>
std::vector<std::size_t> chunk_rows(const pt::Dataset<Row, Role>& data) {
    std::vector<std::size_t> rows;
    for (const auto& chunk : data.state().chunks) rows.push_back(chunk->rows());
    return rows;
}

/// What the dataset holds, as one text: every id, and every value.
template <class Role>
std::string contents(const pt::Dataset<Sale, Role>& data) {
    const auto frame = data.collect();
    const auto rebates = frame.template column<"rebate">();
    std::string text;
    for (std::size_t row = 0; row < frame.rows(); ++row) {
        text += std::to_string(frame.row_id(row)) + " " +
                std::to_string(frame.template column<"when">()[row].microseconds) + " ";
        text.append(frame.template column<"shop">()[row])
            .append("|")
            .append(frame.template column<"note">()[row])
            .append("|");
        text += rebates.valid(row) ? std::to_string(rebates.values()[row]) : "missing";
        text += " " + std::to_string(frame.template column<"price">()[row]) + " " +
                std::to_string(frame.template column<"pieces">()[row]);
        text += frame.template column<"online">()[row] ? " yes " : " no ";
        text += std::to_string(frame.template column<"place">()[row][0]) + "\n";
    }
    return text;
}

/// Runs `body(session, chunk_blocks)` with threads, workers and chunks of many kinds, and gives the distinct results.
template <class Body>
std::vector<std::string> distinct_results(Body body) {
    std::vector<std::string> distinct;
    const auto keep = [&](const std::string& result) {
        for (const std::string& known : distinct)
            if (known == result) return;
        distinct.push_back(result);
    };
    for (const std::size_t chunk_blocks : {1u, 4u, 16u}) {
        for (const std::size_t threads : {1u, 3u}) {
            pt::LocalSession session(quiet(threads));
            keep(body(session, chunk_blocks));
        }
        for (const std::size_t workers : {2u, 5u}) {
            std::vector<std::string> results(workers);
            pt::run<pt::TreeAggregate<>>(quiet(2, workers), [&](pt::Session& session) {
                results[session.rank()] = body(session, chunk_blocks);
            });
            for (const std::string& result : results) keep(result);
        }
    }
    return distinct;
}

}  // namespace sales
