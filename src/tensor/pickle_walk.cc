// SPDX-License-Identifier: Apache-2.0
#include "tensor/pickle_walk.h"

#include <string>
#include <utility>

#include "tensor/pickle_opcodes.h"

namespace flair {
namespace {

using namespace pickle_opcodes;  // NOLINT: the names are the point

constexpr int kMaxProtocol = 5;

class PickleMachine {
 public:
  PickleMachine(ByteView bytes, PickleInput input) : bytes_(bytes), input_(input) {}

  Result<Pickle> Run() {
    for (std::size_t n = 0; n < kMaxPickleOpcodes; ++n) {
      opcode_at_ = at_;
      FLAIR_TRY(const std::uint64_t opcode, Number(1));
      if (opcode == kStop) {
        FLAIR_TRY(pickle_.root, Pop());
        pickle_.size_bytes = at_;
        return std::move(pickle_);
      }
      FLAIR_DO(Step(static_cast<std::uint8_t>(opcode)));
      if (pickle_.values.size() > kMaxPickleValues) {
        return Unsupported("more than " + std::to_string(kMaxPickleValues) + " values");
      }
    }
    return Unsupported("more than " + std::to_string(kMaxPickleOpcodes) + " opcodes");
  }

 private:
  Error Fail(ErrorCode code, const std::string& what) const {
    return {code, "pickle: " + what + " at byte " + std::to_string(opcode_at_)};
  }
  Error Corrupt(const std::string& what) const { return Fail(ErrorCode::kCorrupt, what); }
  Error Unsupported(const std::string& what) const { return Fail(ErrorCode::kUnsupported, what); }

  Error EndsInside(const std::string& what) const {
    return Fail(input_ == PickleInput::kWhole ? ErrorCode::kCorrupt : ErrorCode::kUnsupported,
                "it ends inside " + what);
  }

  // --- The bytes.

  Result<ByteView> Take(std::uint64_t n) {
    if (n > bytes_.size() - at_) return EndsInside("the opcode");
    const ByteView out = bytes_.subspan(at_, n);
    at_ += n;
    return out;
  }

  Result<std::uint64_t> Number(std::size_t width) {
    FLAIR_TRY(const ByteView in, Take(width));
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(in[i]);
    return value;
  }

  Result<std::string_view> Line() {
    const std::string_view rest = AsText(bytes_.subspan(at_));
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return EndsInside("a line");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  // --- The stack. A mark is a floor: nothing below it can be popped.

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Result<PickleId> Top() const {
    if (stack_.size() == floor()) return Corrupt("nothing on the stack");
    return stack_.back();
  }
  Result<PickleId> Pop() {
    FLAIR_TRY(const PickleId top, Top());
    stack_.pop_back();
    return top;
  }
  // What lies above the last mark, which goes too.
  Result<std::vector<PickleId>> PopToMark() {
    if (marks_.empty()) return Corrupt("no mark on the stack");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<PickleId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return items;
  }

  Status Push(PickleValue value) {
    stack_.push_back(static_cast<PickleId>(pickle_.values.size()));
    pickle_.values.push_back(std::move(value));
    return OkStatus();
  }
  Status PushItems(PickleKind kind, std::vector<PickleId> items) {
    return Push(
        {.kind = kind, .items_are_pairs = kind == PickleKind::kDict, .items = std::move(items)});
  }
  Status PushInt(std::uint64_t bits) {
    return Push({.kind = PickleKind::kInt, .number = static_cast<std::int64_t>(bits)});
  }
  // Text or bytes behind a length of `width` bytes.
  Status PushText(PickleKind kind, std::size_t width) {
    FLAIR_TRY(const std::uint64_t n, Number(width));
    FLAIR_TRY(const ByteView text, Take(n));
    return Push({.kind = kind, .text = AsText(text)});
  }
  // Two's complement, little-endian, behind a length of `width` bytes.
  Status PushLong(std::size_t width) {
    FLAIR_TRY(const std::uint64_t n, Number(width));
    FLAIR_TRY(const ByteView in, Take(n));
    // Nine bytes and more can still be small, but no writer spells them so; torch's magic
    // number has ten.
    if (n > 8) return Push({.kind = PickleKind::kOther, .text = AsText(in)});
    const bool negative = n > 0 && (in.back() & std::byte{0x80}) != std::byte{0};
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = n; i-- > 0;) value = value << 8 | std::to_integer<unsigned>(in[i]);
    return PushInt(value);
  }

  // --- What opcodes do.

  Status Step(std::uint8_t opcode) {
    switch (opcode) {
      case kProto: {
        FLAIR_TRY(const std::uint64_t protocol, Number(1));
        if (protocol > kMaxProtocol) {
          return Unsupported("protocol " + std::to_string(protocol));
        }
        return OkStatus();
      }
      case kFrame: {  // a hint for buffering
        FLAIR_TRY(const std::uint64_t n, Number(8));
        if (n > bytes_.size() - at_) return EndsInside("its frame");
        return OkStatus();
      }
      case kNone:
        return Push({});
      case kNewTrue:
      case kNewFalse:
        return Push({.kind = PickleKind::kBool, .number = opcode == kNewTrue});
      case kBinInt: {
        FLAIR_TRY(const std::uint64_t bits, Number(4));
        return PushInt(static_cast<std::uint64_t>(
            std::int64_t{static_cast<std::int32_t>(static_cast<std::uint32_t>(bits))}));
      }
      case kBinInt1:
      case kBinInt2: {
        FLAIR_TRY(const std::uint64_t bits, Number(opcode == kBinInt1 ? 1 : 2));
        return PushInt(bits);
      }
      case kLong1:
        return PushLong(1);
      case kLong4:
        return PushLong(4);
      case kBinFloat:
        FLAIR_DO(Take(8));
        return Push({.kind = PickleKind::kFloat});
      case kShortBinString:  // text of Python 2
      case kShortBinUnicode:
        return PushText(PickleKind::kText, 1);
      case kBinString:
      case kBinUnicode:
        return PushText(PickleKind::kText, 4);
      case kBinUnicode8:
        return PushText(PickleKind::kText, 8);
      case kShortBinBytes:
        return PushText(PickleKind::kBytes, 1);
      case kBinBytes:
        return PushText(PickleKind::kBytes, 4);
      case kBinBytes8:
      case kByteArray8:
        return PushText(PickleKind::kBytes, 8);
      default:
        return StepContainer(opcode);
    }
  }

  Status StepContainer(std::uint8_t opcode) {
    switch (opcode) {
      case kEmptyTuple:
        return PushItems(PickleKind::kTuple, {});
      case kEmptyList:
        return PushItems(PickleKind::kList, {});
      case kEmptyDict:
        return PushItems(PickleKind::kDict, {});
      case kEmptySet:
        return PushItems(PickleKind::kSet, {});
      case kTuple1:
      case kTuple2:
      case kTuple3: {
        std::vector<PickleId> items(std::size_t{opcode} - kTuple1 + 1);
        for (std::size_t i = items.size(); i-- > 0;) {
          FLAIR_TRY(items[i], Pop());
        }
        return PushItems(PickleKind::kTuple, std::move(items));
      }
      case kTuple:
      case kList:
      case kFrozenSet: {
        FLAIR_TRY(std::vector<PickleId> items, PopToMark());
        return PushItems(opcode == kTuple  ? PickleKind::kTuple
                         : opcode == kList ? PickleKind::kList
                                           : PickleKind::kSet,
                         std::move(items));
      }
      case kDict: {
        FLAIR_TRY(std::vector<PickleId> items, PopToMark());
        if (items.size() % 2 != 0) return Corrupt("a key without a value");
        return PushItems(PickleKind::kDict, std::move(items));
      }
      case kAppend: {
        FLAIR_TRY(const PickleId item, Pop());
        return AddTo(PickleKind::kList, {item});
      }
      case kAppends:
      case kAddItems: {
        FLAIR_TRY(const std::vector<PickleId> items, PopToMark());
        return AddTo(opcode == kAppends ? PickleKind::kList : PickleKind::kSet, items);
      }
      case kSetItem: {
        FLAIR_TRY(const PickleId value, Pop());
        FLAIR_TRY(const PickleId key, Pop());
        return AddTo(PickleKind::kDict, {key, value});
      }
      case kSetItems: {
        FLAIR_TRY(const std::vector<PickleId> items, PopToMark());
        if (items.size() % 2 != 0) return Corrupt("a key without a value");
        return AddTo(PickleKind::kDict, items);
      }
      default:
        return StepObject(opcode);
    }
  }

  // Adds to the value on top: the container that `kind` names, or an object that acts
  // as one.
  Status AddTo(PickleKind kind, const std::vector<PickleId>& items) {
    FLAIR_TRY(const PickleId top, Top());
    PickleValue& value = pickle_.values[top];
    const bool pairs = kind == PickleKind::kDict;
    if (value.kind == PickleKind::kCall) {
      if (!value.items.empty() && value.items_are_pairs != pairs) {
        return Unsupported("an object that is a list and a dict");
      }
      value.items_are_pairs = pairs;
    } else if (value.kind != kind) {
      return Corrupt("items for what is no container of their kind");
    }
    value.items.insert(value.items.end(), items.begin(), items.end());
    return OkStatus();
  }

  Status StepObject(std::uint8_t opcode) {
    switch (opcode) {
      case kGlobal: {
        FLAIR_TRY(const std::string_view module, Line());
        FLAIR_TRY(const std::string_view name, Line());
        return Push({.kind = PickleKind::kGlobal, .text = name, .module = module});
      }
      case kStackGlobal: {
        FLAIR_TRY(const PickleId name, Pop());
        FLAIR_TRY(const PickleId module, Pop());
        const PickleValue& m = pickle_.values[module];
        const PickleValue& n = pickle_.values[name];
        if (m.kind != PickleKind::kText || n.kind != PickleKind::kText) {
          return Corrupt("a global whose name is no text");
        }
        return Push({.kind = PickleKind::kGlobal, .text = n.text, .module = m.text});
      }
      case kReduce:
      case kNewObj:
      case kNewObjEx: {
        // The keyword arguments of NEWOBJ_EX are dropped: no writer hides tensors there.
        if (opcode == kNewObjEx) FLAIR_DO(Pop());
        FLAIR_TRY(const PickleId arguments, Pop());
        FLAIR_TRY(const PickleId callee, Pop());
        if (pickle_.values[arguments].kind != PickleKind::kTuple) {
          return Corrupt("a call whose arguments are no tuple");
        }
        return Push({.kind = PickleKind::kCall, .callee = callee, .arguments = arguments});
      }
      case kBuild: {
        FLAIR_TRY(const PickleId state, Pop());
        FLAIR_TRY(const PickleId object, Top());
        PickleValue& value = pickle_.values[object];
        if (value.kind != PickleKind::kCall) return Unsupported("state for what is no object");
        value.state = state;
        return OkStatus();
      }
      case kBinPersId: {
        FLAIR_TRY(const PickleId id, Pop());
        return Push({.kind = PickleKind::kPersistentId, .callee = id});
      }
      default:
        return StepStack(opcode);
    }
  }

  Status StepStack(std::uint8_t opcode) {
    switch (opcode) {
      case kMark:
        marks_.push_back(stack_.size());
        return OkStatus();
      case kPop:
        if (!marks_.empty() && stack_.size() == floor()) {
          marks_.pop_back();
          return OkStatus();
        }
        FLAIR_DO(Pop());
        return OkStatus();
      case kPopMark:
        FLAIR_DO(PopToMark());
        return OkStatus();
      case kDup: {
        FLAIR_TRY(const PickleId top, Top());
        stack_.push_back(top);
        return OkStatus();
      }
      case kMemoize:
        return Put(num_memoised_);
      case kBinPut:
      case kLongBinPut: {
        FLAIR_TRY(const std::uint64_t index, Number(opcode == kBinPut ? 1 : 4));
        return Put(index);
      }
      case kBinGet:
      case kLongBinGet: {
        FLAIR_TRY(const std::uint64_t index, Number(opcode == kBinGet ? 1 : 4));
        if (index >= memo_.size() || memo_[index] == kNoPickleId) {
          return Corrupt("memo entry " + std::to_string(index) + " was never put");
        }
        stack_.push_back(memo_[index]);
        return OkStatus();
      }
      default:
        return Unsupported("unknown opcode " + std::to_string(opcode));
    }
  }

  Status Put(std::uint64_t index) {
    FLAIR_TRY(const PickleId top, Top());
    // Writers number entries from zero on, and each takes a byte to make.
    if (index > at_) return Unsupported("memo entry " + std::to_string(index));
    if (index >= memo_.size()) memo_.resize(index + 1, kNoPickleId);
    if (memo_[index] == kNoPickleId) ++num_memoised_;
    memo_[index] = top;
    return OkStatus();
  }

  const ByteView bytes_;
  const PickleInput input_;
  std::uint64_t at_ = 0;
  std::uint64_t opcode_at_ = 0;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<std::size_t> marks_;  // heights of stack_
  std::vector<PickleId> memo_;      // by index; kNoPickleId where nothing was put
  std::uint64_t num_memoised_ = 0;
};

}  // namespace

Result<Pickle> ReadPickle(ByteView bytes, PickleInput input) {
  return PickleMachine(bytes, input).Run();
}

}  // namespace flair
