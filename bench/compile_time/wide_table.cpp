// SPDX-License-Identifier: Apache-2.0
// A table of 300 columns as described bases, a stage over a selector, and a fit.
// Budget of its compilation: 4 times that of <Eigen/Core>.

#include <partita/comm/session.hpp>
#include <partita/data/from_memory.hpp>
#include <partita/data/selector.hpp>
#include <partita/data/split.hpp>
#include <partita/feature/standard_scale.hpp>
#include <partita/pipeline/pipeline.hpp>

#include <boost/describe/class.hpp>

#include <vector>

namespace pt = partita;

struct Part0 {
    float a0, a1, a2, a3, a4, a5, a6, a7, a8, a9;
    float a10, a11, a12, a13, a14, a15, a16, a17, a18, a19;
    float a20, a21, a22, a23, a24, a25, a26, a27, a28, a29;
    float a30, a31, a32, a33, a34, a35, a36, a37, a38, a39;
    float a40, a41, a42, a43, a44, a45, a46, a47, a48, a49;
};
BOOST_DESCRIBE_STRUCT(Part0, (),
                      (a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20,
                       a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36, a37, a38, a39,
                       a40, a41, a42, a43, a44, a45, a46, a47, a48, a49))
struct Part1 {
    float b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
    float b10, b11, b12, b13, b14, b15, b16, b17, b18, b19;
    float b20, b21, b22, b23, b24, b25, b26, b27, b28, b29;
    float b30, b31, b32, b33, b34, b35, b36, b37, b38, b39;
    float b40, b41, b42, b43, b44, b45, b46, b47, b48, b49;
};
BOOST_DESCRIBE_STRUCT(Part1, (),
                      (b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20,
                       b21, b22, b23, b24, b25, b26, b27, b28, b29, b30, b31, b32, b33, b34, b35, b36, b37, b38, b39,
                       b40, b41, b42, b43, b44, b45, b46, b47, b48, b49))
struct Part2 {
    float c0, c1, c2, c3, c4, c5, c6, c7, c8, c9;
    float c10, c11, c12, c13, c14, c15, c16, c17, c18, c19;
    float c20, c21, c22, c23, c24, c25, c26, c27, c28, c29;
    float c30, c31, c32, c33, c34, c35, c36, c37, c38, c39;
    float c40, c41, c42, c43, c44, c45, c46, c47, c48, c49;
};
BOOST_DESCRIBE_STRUCT(Part2, (),
                      (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20,
                       c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, c32, c33, c34, c35, c36, c37, c38, c39,
                       c40, c41, c42, c43, c44, c45, c46, c47, c48, c49))
struct Part3 {
    float d0, d1, d2, d3, d4, d5, d6, d7, d8, d9;
    float d10, d11, d12, d13, d14, d15, d16, d17, d18, d19;
    float d20, d21, d22, d23, d24, d25, d26, d27, d28, d29;
    float d30, d31, d32, d33, d34, d35, d36, d37, d38, d39;
    float d40, d41, d42, d43, d44, d45, d46, d47, d48, d49;
};
BOOST_DESCRIBE_STRUCT(Part3, (),
                      (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16, d17, d18, d19, d20,
                       d21, d22, d23, d24, d25, d26, d27, d28, d29, d30, d31, d32, d33, d34, d35, d36, d37, d38, d39,
                       d40, d41, d42, d43, d44, d45, d46, d47, d48, d49))
struct Part4 {
    float e0, e1, e2, e3, e4, e5, e6, e7, e8, e9;
    float e10, e11, e12, e13, e14, e15, e16, e17, e18, e19;
    float e20, e21, e22, e23, e24, e25, e26, e27, e28, e29;
    float e30, e31, e32, e33, e34, e35, e36, e37, e38, e39;
    float e40, e41, e42, e43, e44, e45, e46, e47, e48, e49;
};
BOOST_DESCRIBE_STRUCT(Part4, (),
                      (e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, e10, e11, e12, e13, e14, e15, e16, e17, e18, e19, e20,
                       e21, e22, e23, e24, e25, e26, e27, e28, e29, e30, e31, e32, e33, e34, e35, e36, e37, e38, e39,
                       e40, e41, e42, e43, e44, e45, e46, e47, e48, e49))
struct Part5 {
    float f0, f1, f2, f3, f4, f5, f6, f7, f8, f9;
    float f10, f11, f12, f13, f14, f15, f16, f17, f18, f19;
    float f20, f21, f22, f23, f24, f25, f26, f27, f28, f29;
    float f30, f31, f32, f33, f34, f35, f36, f37, f38, f39;
    float f40, f41, f42, f43, f44, f45, f46, f47, f48, f49;
};
BOOST_DESCRIBE_STRUCT(Part5, (),
                      (f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20,
                       f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39,
                       f40, f41, f42, f43, f44, f45, f46, f47, f48, f49))

struct Wide : Part0, Part1, Part2, Part3, Part4, Part5 {};
BOOST_DESCRIBE_STRUCT(Wide, (Part0, Part1, Part2, Part3, Part4, Part5), ())

int main() {
    pt::LocalSession session;
    std::vector<Wide> rows(10'000);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].a0 = static_cast<float>(i);
    const auto data = pt::dataset(session, rows);
    const auto [train, test] = pt::split_at_random(data, pt::TrainTest{.train = 0.8});
    const auto model =
        pt::pipeline(pt::StandardScale<pt::starts_with<"a">>{}, pt::StandardScale<pt::starts_with<"b">>{}).fit(train);
    const auto scaled = model.transform(test);
    return scaled.count() > 0 ? 0 : 1;
}
