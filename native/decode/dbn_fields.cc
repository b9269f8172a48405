// The layout of every DBN record, once, as the list of its fields in wire order. Padding is a field without a name.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "decode/dbn.h"

namespace tw::decode {
namespace {

struct Item {
  const char* name;
  std::uint16_t size;
  DbnKind kind;
};

constexpr Item U8(const char* n) { return {n, 1, DbnKind::kUnsigned}; }
constexpr Item U16(const char* n) { return {n, 2, DbnKind::kUnsigned}; }
constexpr Item U32(const char* n) { return {n, 4, DbnKind::kUnsigned}; }
constexpr Item U64(const char* n) { return {n, 8, DbnKind::kUnsigned}; }
constexpr Item I8(const char* n) { return {n, 1, DbnKind::kSigned}; }
constexpr Item I16(const char* n) { return {n, 2, DbnKind::kSigned}; }
constexpr Item I32(const char* n) { return {n, 4, DbnKind::kSigned}; }
constexpr Item I64(const char* n) { return {n, 8, DbnKind::kSigned}; }
constexpr Item Char(const char* n) { return {n, 1, DbnKind::kChar}; }
constexpr Item YesNo(const char* n) { return {n, 1, DbnKind::kYesNo}; }
constexpr Item Text(const char* n, std::uint16_t size) { return {n, size, DbnKind::kText}; }
constexpr Item Pad(std::uint16_t size) { return {nullptr, size, DbnKind::kText}; }

using Items = std::vector<Item>;

struct Layout {
  std::vector<std::uint8_t> rtypes;
  std::size_t size;
  Items items;
};

Items Join(Items a, const Items& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Items kTradeItems = {I64("price"), U32("size"),       Char("action"),     Char("side"),   U8("flags"),
                           U8("depth"),  U64("ts_recv"), I32("ts_in_delta"), U32("sequence")};
const Items kBarItems = {I64("open"), I64("high"), I64("low"), I64("close"), U64("volume")};
const Items kLevel0 = {I64("bid_px_00"), I64("ask_px_00"), U32("bid_sz_00"), U32("ask_sz_00"), U32("bid_ct_00"), U32("ask_ct_00")};
const Items kConsolidated0 = {I64("bid_px_00"), I64("ask_px_00"), U32("bid_sz_00"), U32("ask_sz_00"),
                              U16("bid_pb_00"), Pad(2),           U16("ask_pb_00"), Pad(2)};

// Names live as long as the process.
const char* Keep(std::string name) {
  static std::vector<std::unique_ptr<std::string>> kept;
  kept.push_back(std::make_unique<std::string>(std::move(name)));
  return kept.back()->c_str();
}

Items TenLevels() {
  Items items;
  for (int i = 0; i < 10; ++i) {
    for (Item item : kLevel0) {
      std::string name = item.name;
      name.back() = static_cast<char>('0' + i);
      item.name = Keep(std::move(name));
      items.push_back(item);
    }
  }
  return items;
}

const Items kDefinitionTimes = {U64("ts_recv"),           I64("min_price_increment"), I64("display_factor"),
                                U64("expiration"),        U64("activation"),          I64("high_limit_price"),
                                I64("low_limit_price"),   I64("max_price_variation"), I64("trading_reference_price"),
                                I64("unit_of_measure_qty"), I64("min_price_increment_amount"), I64("price_ratio")};
const Items kDefinitionCounts = {I32("inst_attrib_value"),  U32("underlying_id"),     U32("raw_instrument_id"), I32("market_depth_implied"),
                                 I32("market_depth"),       U32("market_segment_id"), U32("max_trade_vol"),     I32("min_lot_size"),
                                 I32("min_lot_size_block"), I32("min_lot_size_round_lot"), U32("min_trade_vol")};
const Items kDefinitionDates = {U16("trading_reference_date"), I16("appl_id"), U16("maturity_year"), U16("decay_start_date"),
                                U16("channel_id")};

Items DefinitionNames(std::uint16_t symbol_size) {
  return {Text("currency", 4),        Text("settl_currency", 4),   Text("secsubtype", 6), Text("raw_symbol", symbol_size),
          Text("group", 21),          Text("exchange", 5),         Text("asset", 7),      Text("cfi", 7),
          Text("security_type", 7),   Text("unit_of_measure", 31), Text("underlying", 21), Text("strike_price_currency", 4),
          Char("instrument_class")};
}
const Items kDefinitionEnd = {Char("match_algorithm"),  U8("md_security_trading_status"), U8("main_fraction"), U8("price_display_format"),
                              U8("settl_price_type"),   U8("sub_fraction"),               U8("underlying_product"),
                              Char("security_update_action"), U8("maturity_month"),       U8("maturity_day"),  U8("maturity_week"),
                              Char("user_defined_instrument"), I8("contract_multiplier_unit"), I8("flow_schedule_type"), U8("tick_rule")};

std::vector<Layout> Layouts() {
  const Items contract = {I32("contract_multiplier"), I32("decay_quantity"), I32("original_contract_size")};
  Items definition1 = Join(kDefinitionTimes, kDefinitionCounts);
  definition1.push_back(Pad(4));
  definition1 = Join(definition1, contract);
  definition1.push_back(Pad(4));
  definition1 = Join(Join(definition1, kDefinitionDates), DefinitionNames(22));
  definition1 = Join(definition1, {Pad(2), I64("strike_price"), Pad(6)});
  definition1 = Join(Join(definition1, kDefinitionEnd), {Pad(3)});

  Items definition2 = Join(Join(kDefinitionTimes, {I64("strike_price")}), kDefinitionCounts);
  definition2 = Join(Join(Join(definition2, contract), kDefinitionDates), DefinitionNames(71));
  definition2 = Join(Join(definition2, kDefinitionEnd), {Pad(10)});

  return {
      {{kDbnTrade}, 48, kTradeItems},
      {{kDbnMbp1}, 80, Join(kTradeItems, kLevel0)},
      {{kDbnMbp10}, 368, Join(kTradeItems, TenLevels())},
      {{kDbnBbo1s, kDbnBbo1m},
       80,
       Join({I64("price"), U32("size"), Pad(1), Char("side"), U8("flags"), Pad(1), U64("ts_recv"), Pad(4), U32("sequence")}, kLevel0)},
      {{kDbnCbbo1s, kDbnCbbo1m}, 80,
       Join({I64("price"), U32("size"), Pad(1), Char("side"), U8("flags"), Pad(1), U64("ts_recv"), Pad(8)}, kConsolidated0)},
      {{kDbnCmbp1, kDbnTcbbo},
       80,
       Join({I64("price"), U32("size"), Char("action"), Char("side"), U8("flags"), Pad(1), U64("ts_recv"), I32("ts_in_delta"), Pad(4)},
            kConsolidated0)},
      {{kDbnOhlcvOld, kDbnOhlcv1s, kDbnOhlcv1m, kDbnOhlcv1h, kDbnOhlcv1d, kDbnOhlcvEod}, 56, kBarItems},
      {{kDbnMbo},
       56,
       {U64("order_id"), I64("price"), U32("size"), U8("flags"), U8("channel_id"), Char("action"), Char("side"), U64("ts_recv"),
        I32("ts_in_delta"), U32("sequence")}},
      {{kDbnStatus},
       40,
       {U64("ts_recv"), U16("action"), U16("reason"), U16("trading_event"), YesNo("is_trading"), YesNo("is_quoting"),
        YesNo("is_short_sell_restricted"), Pad(7)}},
      {{kDbnImbalance},
       112,
       {U64("ts_recv"), I64("ref_price"), U64("auction_time"), I64("cont_book_clr_price"), I64("auct_interest_clr_price"),
        I64("ssr_filling_price"), I64("ind_match_price"), I64("upper_collar"), I64("lower_collar"), U32("paired_qty"),
        U32("total_imbalance_qty"), U32("market_imbalance_qty"), U32("unpaired_qty"), Char("auction_type"), Char("side"),
        U8("auction_status"), U8("freeze_status"), U8("num_extensions"), Char("unpaired_side"), Char("significant_imbalance"), Pad(1)}},
      {{kDbnStatistics},
       64,
       {U64("ts_recv"), U64("ts_ref"), I64("price"), I32("quantity"), U32("sequence"), I32("ts_in_delta"), U16("stat_type"),
        U16("channel_id"), U8("update_action"), U8("stat_flags"), Pad(6)}},
      {{kDbnStatistics},
       80,
       {U64("ts_recv"), U64("ts_ref"), I64("price"), I64("quantity"), U32("sequence"), I32("ts_in_delta"), U16("stat_type"),
        U16("channel_id"), U8("update_action"), U8("stat_flags"), Pad(18)}},
      {{kDbnDefinition}, 360, definition1},
      {{kDbnDefinition}, 400, definition2},
      {{kDbnError}, 80, {Text("err", 64)}},
      {{kDbnError}, 320, {Text("err", 302), U8("code"), U8("is_last")}},
      {{kDbnSystem}, 80, {Text("msg", 64)}},
      {{kDbnSystem}, 320, {Text("msg", 303), U8("code")}},
      {{kDbnSymbolMapping}, 80, {Text("stype_in_symbol", 22), Text("stype_out_symbol", 22), Pad(4), U64("start_ts"), U64("end_ts")}},
      {{kDbnSymbolMapping},
       176,
       {U8("stype_in"), Text("stype_in_symbol", 71), U8("stype_out"), Text("stype_out_symbol", 71), U64("start_ts"), U64("end_ts")}},
  };
}

using Table = std::map<std::pair<std::uint8_t, std::size_t>, std::vector<DbnField>>;

Table Build() {
  Table table;
  for (const Layout& layout : Layouts()) {
    std::vector<DbnField> fields = {{"rtype", 1, 1, DbnKind::kUnsigned},
                                    {"publisher_id", 2, 2, DbnKind::kUnsigned},
                                    {"instrument_id", 4, 4, DbnKind::kUnsigned},
                                    {"ts_event", 8, 8, DbnKind::kUnsigned}};
    std::size_t offset = kDbnHeader;
    for (const Item& item : layout.items) {
      if (item.name != nullptr) fields.push_back({item.name, static_cast<std::uint16_t>(offset), item.size, item.kind});
      offset += item.size;
    }
    if (offset != layout.size) continue;  // A test holds that every layout is here.
    std::sort(fields.begin(), fields.end(), [](const DbnField& a, const DbnField& b) { return std::strcmp(a.name, b.name) < 0; });
    for (const std::uint8_t rtype : layout.rtypes) table[{rtype, layout.size}] = fields;
  }
  return table;
}

}  // namespace

std::span<const DbnField> DbnFields(std::uint8_t rtype, std::size_t size) {
  static const Table table = Build();
  const auto found = table.find({rtype, size});
  if (found == table.end()) return {};
  return found->second;
}

}  // namespace tw::decode
