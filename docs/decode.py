#!/usr/bin/env python3
"""Reference decoder of Signum's packed models, from docs/FORMAT.md alone. Needs Python 3.9 and numpy.

python3 decode.py FOLDER [NAME ...] [--out FILE.npz]      FOLDER: a packed folder, or one of its shards

Prints name, shape, sha256 and method of every tensor of the model (or of those named) as F32, quantized linears and
tables decoded; --out writes them too. Every tensor that is read is held against its sha256 in the file.
"""
import argparse, hashlib, json, pathlib
import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "U64": "<u8", "I32": "<i4",
          "U32": "<u4", "I16": "<i2", "U16": "<u2", "I8": "i1", "U8": "u1", "BOOL": "?"}


class Packed:
    def __init__(self, path):
        path = pathlib.Path(path)
        index = path / "model.safetensors.index.json"
        names = [] if path.is_file() else sorted(set(json.loads(index.read_text())["weight_map"].values()))
        files = [path / name for name in names] or [path]
        self.tensors, self.layouts, self.hashes = {}, {}, {}
        for file in files:
            data = np.memmap(file, np.uint8, "r")
            length = int(data[:8].view("<u8")[0])
            header = json.loads(bytes(data[8 : 8 + length]))
            meta = header.pop("__metadata__")
            assert meta["signum_format"] == "1", f"{file}: another format"
            for name, entry in header.items():
                begin, end = entry["data_offsets"]
                self.tensors[name] = (entry["dtype"], entry["shape"], data[8 + length + begin : 8 + length + end])
            self.layouts |= json.loads(meta["linears"]) | json.loads(meta.get("tables", "{}"))
            self.hashes |= json.loads(meta["sha256"])

    def names(self):
        kept = [name for name in self.tensors if name.rpartition(".")[0] not in self.layouts or name.endswith(".bias")]
        return sorted(kept + [name + ".weight" for name in self.layouts])

    def read(self, name):
        """A stored tensor; floating ones as F32, exactly."""
        dtype, shape, data = self.tensors[name]
        assert hashlib.sha256(data).hexdigest() == self.hashes[name], f"{name} has not the bytes that were written"
        values = np.frombuffer(bytes(data), DTYPES[dtype]).reshape(shape)
        if dtype == "BF16":
            return (values.astype(np.uint32) << 16).view(np.float32)
        return values.astype(np.float32) if dtype in ("F16", "F32") else values

    def weight(self, name):
        """A tensor of the model under its own name: as stored, or [rows, columns] decoded."""
        linear = name.rpartition(".")[0]
        if name in self.tensors:
            return self.read(name)
        layout = self.layouts[linear]
        with np.errstate(over="ignore", invalid="ignore"):
            stored = decode(layout, lambda role: self.read(f"{linear}.{role}"))
        if "order" not in layout:
            return stored
        weights = np.empty_like(stored)
        weights[:, self.read(layout["order"])] = stored
        return weights


def bits_of(rows, width):
    """Planes or streams, least significant bit first: [..., width] of 0 and 1."""
    return np.unpackbits(rows, axis=-1, bitorder="little")[..., :width].astype(np.int64)


def codes_of(rows, count, bits):
    """`count` numbers of `bits` bits each from every row (or from one stream)."""
    each = bits_of(rows, count * bits)
    return sum((each[..., k::bits] << k for k in range(bits)), np.zeros((*rows.shape[:-1], count), np.int64))


def signed(bits, values):
    return np.where(bits == 1, values, -values)


def decode(layout, read):
    """The weights in the order of the stored columns. All arrays are F32, so numpy rounds after every operation."""
    method, m, n = layout["method"], layout["rows"], layout["columns"]
    group = np.arange(n) // layout.get("group", layout.get("blocksize"))  # or block, of every stored column
    if method in ("rtn", "gptq"):
        zero = np.full((m, n), 1 << (layout["bits"] - 1)) if layout.get("symmetric") else read("code_zero")[:, group]
        difference = codes_of(read("code"), n, layout["bits"]) - zero.astype(np.int64)
        return read("code_scale")[:, group] * difference.astype(np.float32)
    sign = bits_of(read("sign"), n)
    if method == "fdb":
        first, second = (np.where(plane == 1, scale[:, group], np.float32(0)) for plane, scale in
                         zip((sign, bits_of(read("plane2"), n)), read("scale")))
        return first + second
    if method == "pb-llm":
        salient, low = salient_mask(layout, read), layout["salient_bits"] - 1
        code = np.zeros((m, n), np.int64)
        code[salient] = codes_of(read("code"), layout["salient_weights"], low) + (sign[salient] << low)
        difference = code - read("code_zero").astype(np.int64)[:, None]
        others = read("mean")[:, group] + signed(sign, read("scale")[:, group])
        return np.where(salient, read("code_scale")[:, None] * difference.astype(np.float32), others)
    if method == "signum-rc":
        weights = np.zeros((m, n), np.float32)
        for suffix, k in (("", n), ("2", layout["second_columns"]), ("3", layout.get("third_columns", 0))):
            if k == 0:
                continue
            scale = read("row_scale" + suffix)[:, group[:k]]
            scale = scale * read("column_scale" + suffix) if layout["column_scales"] else scale
            plane = signed(bits_of(read("sign" + suffix), k), scale)
            weights[:, :k] = weights[:, :k] + plane if suffix else plane
        return weights
    return decode_grouped(layout, read, sign, group)


def decode_grouped(layout, read, sign, block):
    """billm, arb, arb-x, arb-rc: salient columns of two orders, the others in groups."""
    m, n = layout["rows"], layout["columns"]
    splits, bitmap = layout.get("splits", 1), layout.get("column_group_bitmap", False)
    salient = bits_of(read("salient"), n) == 1
    assert salient.sum() == layout["salient_columns"], "the bitmap has another number of salient columns"
    second = bits_of(read("plane2"), n)
    g = splits - (2 * second + bits_of(read("group2"), n)) if splits > 1 else 1 - second
    if bitmap:
        second[:, salient] = bits_of(read("plane3"), layout["salient_columns"])
    else:
        g[:, salient] = 0
    assert g.min() >= 0, "a weight is in a group that its layout does not have"
    G, i, j = splits + 1 if bitmap else 1, np.arange(m)[:, None], np.arange(n)
    slot, slot2 = np.where(salient, 2 * g, 2 * G + g), np.where(salient, 2 * g + 1, 0)
    if layout["method"] == "arb-rc":
        row, column = read("row_scale"), read("column_scale")
        weights = signed(sign, row[slot, i, block] * column[np.where(salient, 2 * g, g), j])
        more = row[slot2, i, block] * column[slot2, j]
    else:
        scale, mean = read("scale"), read("mean")
        weights = mean[np.where(salient, g, G + g), i, block] + signed(sign, scale[slot, i, block])
        more = scale[slot2, i, block]
    return np.where(salient, weights + signed(second, more), weights)


def salient_mask(layout, read):
    """pb-llm: [rows, columns], true for salient weights; a plane, or an Elias-Fano code."""
    m, n, low, count = layout["rows"], layout["columns"], layout["mask_low_bits"], read("salient_count").astype(int)
    if low == 0:
        mask = bits_of(read("mask"), n) == 1
    else:
        mask, buckets = np.zeros((m, n), bool), -(-n >> low)
        high = bits_of(read("mask_high"), count.sum() + m * buckets)
        lows = codes_of(read("mask_low"), count.sum(), low)
        end = np.cumsum(count)
        for i in range(m):
            first = end[i] - count[i]
            ones = np.flatnonzero(high[first + i * buckets : end[i] + (i + 1) * buckets])
            mask[i, (ones - np.arange(len(ones)) << low) + lows[first : end[i]]] = True
    assert count.sum() == layout["salient_weights"], "the counts have another sum than the layout says"
    assert (mask.sum(axis=1) == count).all(), "a row of the mask has not the salient weights that its count says"
    return mask


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", metavar="FILE.npz")
    options = parser.parse_args()
    packed, kept = Packed(options.folder), {}
    for name in options.names or packed.names():
        value = packed.weight(name)
        method = "as stored" if name in packed.tensors else packed.layouts[name.rpartition(".")[0]]["method"]
        print(name, list(value.shape), hashlib.sha256(np.ascontiguousarray(value)).hexdigest(), method)
        if options.out:
            kept[name] = value
    if options.out:
        np.savez(options.out, **kept)
