#include "bench/method_rows.h"

namespace signum::bench {

double Row::published_at(size_t rows, size_t columns) const {
  if (rows != columns) return 0;
  return columns == 512 ? published[0] : columns == 1024 ? published[1] : columns == 2048 ? published[2] : 0;
}

std::vector<Row> method_rows() {
  Recipe rtn, gptq, billm, pb_llm, arb, arb_x, arb_rc, fdb, signum_rc;
  rtn.method = Method::Rtn;
  gptq.method = Method::Gptq;
  gptq.group = 128;
  billm.method = Method::BiLLM;
  pb_llm.method = Method::PbLlm;
  pb_llm.bits = 8;
  arb.method = Method::Arb;
  arb_x.method = Method::ArbX;
  arb_rc.method = Method::ArbRc;
  fdb.method = Method::Fdb;
  fdb.group = 64;
  signum_rc.method = Method::SignumRc;
  signum_rc.descending_order = true;
  Recipe fdb_passed = fdb;
  fdb_passed.propagation = true;
  Recipe rtn_clip = rtn, gptq_clip = gptq;
  rtn_clip.clip_search = gptq_clip.clip_search = true;
  const auto plain = [](Recipe recipe) {
    recipe.column_group_bitmap = false;
    return recipe;
  };
  Recipe quarter = signum_rc, none = signum_rc;
  quarter.second_plane = 0.25;
  none.second_plane = 0;
  return {{"rtn 2 bit", rtn, {0, 0, 0}},
          {"rtn 2 bit clip", rtn_clip, {0, 0, 0}},
          {"gptq 2 bit g128", gptq, {0.09, 0.25, 0.85}},
          {"gptq g128 clip", gptq_clip, {0, 0, 0}},
          {"billm", billm, {0.62, 2.33, 9.06}},
          {"pb-llm 10 %", pb_llm, {0.13, 0.31, 1.62}},
          {"arb", plain(arb), {0, 0, 0}},
          {"arb + bitmap", arb, {0, 0, 0}},
          {"arb-x", plain(arb_x), {0, 0, 0}},
          {"arb-x + bitmap", arb_x, {2.26, 7.88, 26.3}},
          {"arb-rc", plain(arb_rc), {0, 0, 0}},
          {"arb-rc + bitmap", arb_rc, {1.12, 4.26, 18.0}},
          {"fdb g64", fdb, {0, 0, 0}},
          {"fdb g64 passed on", fdb_passed, {0, 0, 0}},
          {"signum-rc 0", none, {0, 0, 0}},
          {"signum-rc 0.25", quarter, {0, 0, 0}},
          {"signum-rc 1", signum_rc, {0, 0, 0}}};
}

double floor_operations(const Recipe& r, double m, double n) {
  // |error|^2.4 of every weight on 80 grids: code and value 8 operations, the power 30. A grid that is left
  // early, since it cannot win any more, takes fewer.
  const double clipping = r.clip_search ? 80 * 38 * m * n : 0;
  if (!needs_hessian(r)) return clipping;
  const double b = double(r.blocksize), p = r.second_plane, base = n * n * n / 3 + m * n * n;
  switch (r.method) {
    case Method::Gptq:
    case Method::PbLlm:
      return base + m * n * b + 2 * m * n * b + clipping;
    case Method::Fdb:
      return r.propagation ? base : 0;
    case Method::SignumRc: {
      const double refit = 2 * (1 + p) * m * n * b + (1 + p) * (1 + p) * m * n * b;
      return base + (1 + r.refits) * m * n * b + 6 * m * n * b + r.refits * refit;
    }
    case Method::ArbX:  // and the inputs' products S with T, and with the mean and the signs of both groups
      return base + 4 * m * n * b + 2 * m * n * b + 4 * 2 * m * n * b;
    default:
      return base + 4 * m * n * b;
  }
}

}  // namespace signum::bench
