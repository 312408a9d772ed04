using MongoDB.Bson;

namespace Platform.Data.Validation.Samples;

/// <summary>How a random document is made to keep, and how to break, one rule over several fields.</summary>
/// <param name="Repair">Changes a document so that the rule holds.</param>
/// <param name="Break">Changes a document so that the rule does not hold.</param>
internal sealed record CrossFieldSample(Action<BsonDocument, Random> Repair, Action<BsonDocument, Random> Break)
{
    private static readonly Dictionary<string, CrossFieldSample> Known = new(StringComparer.Ordinal)
    {
        ["updatedAtNotBeforeCreatedAt"] = NotBefore("updatedAt", "createdAt"),
        ["updatedAtNotBeforePlacedAt"] = NotBefore("updatedAt", "placedAt"),
        ["notOwnParent"] = new(
            (document, random) =>
            {
                if (document.GetValue("parentId", null) == document["_id"])
                {
                    document["parentId"] = ObjectId.GenerateNewId();
                }
            },
            (document, _) => document["parentId"] = document["_id"]),
        ["reservedWithinOnHand"] = new(
            (document, random) => document["reserved"] = Math.Min(document["reserved"].AsInt32, document["onHand"].AsInt32),
            (document, _) =>
            {
                document["onHand"] = Math.Min(document["onHand"].AsInt32, int.MaxValue - 1);
                document["reserved"] = document["onHand"].AsInt32 + 1;
            }),
        [CrossFieldRules.ProductOnce] = new(
            (document, random) =>
            {
                foreach (var line in Lines(document))
                {
                    line["productId"] = RandomId(random);
                }
            },
            (document, _) =>
            {
                var lines = document["lines"].AsBsonArray;
                if (lines.Count == 1)
                {
                    lines.Add(lines[0].DeepClone());
                }

                lines[^1]["productId"] = lines[0]["productId"];
            }),
        ["lineTotal"] = new(
            (document, _) =>
            {
                // The order's amounts must stay below their limit, whatever was drawn.
                var share = 500_000_000_000m / document["lines"].AsBsonArray.Count;
                foreach (var line in Lines(document))
                {
                    var quantity = line["quantity"].AsInt32;
                    var price = Math.Min(Decimal128.ToDecimal(line["unitPrice"].AsDecimal128), decimal.Round(share / quantity, 2));
                    line["unitPrice"] = new Decimal128(price);
                    line["total"] = new Decimal128(price * quantity);
                }
            },
            (document, random) =>
            {
                var line = Lines(document).ElementAt(random.Next(document["lines"].AsBsonArray.Count));
                line["total"] = new Decimal128(Decimal128.ToDecimal(line["total"].AsDecimal128) + 0.01m);
            }),
        ["subtotalIsSumOfLines"] = new(
            (document, _) => document["subtotal"] = new Decimal128(Lines(document).Sum(line => Decimal128.ToDecimal(line["total"].AsDecimal128))),
            (document, _) => document["subtotal"] = new Decimal128(Decimal128.ToDecimal(document["subtotal"].AsDecimal128) + 0.01m)),
        ["itemCountIsSumOfLines"] = new(
            (document, _) =>
            {
                if (document.Contains("itemCount"))
                {
                    document["itemCount"] = Lines(document).Sum(line => line["quantity"].AsInt32);
                }
            },
            (document, _) => document["itemCount"] = Lines(document).Sum(line => line["quantity"].AsInt32) + 1),
        ["totalIsSubtotalPlusTax"] = new(
            (document, _) =>
            {
                var subtotal = Decimal128.ToDecimal(document["subtotal"].AsDecimal128);
                var tax = Math.Min(Decimal128.ToDecimal(document["tax"].AsDecimal128), 400_000_000_000m);
                document["tax"] = new Decimal128(tax);
                document["total"] = new Decimal128(subtotal + tax);
            },
            (document, _) => document["total"] = new Decimal128(Decimal128.ToDecimal(document["total"].AsDecimal128) + 0.01m)),
    };

    /// <summary>The sample of a rule.</summary>
    /// <exception cref="NotSupportedException">The rule has none; it is to be added here.</exception>
    public static CrossFieldSample Of(CrossFieldRule rule) =>
        Known.TryGetValue(rule.Code, out var sample) ? sample : throw new NotSupportedException($"There is no sample of the rule {rule.Code}.");

    internal static ObjectId RandomId(Random random)
    {
        var bytes = new byte[12];
        random.NextBytes(bytes);
        return new ObjectId(bytes);
    }

    private static IEnumerable<BsonDocument> Lines(BsonDocument order) => order["lines"].AsBsonArray.Cast<BsonDocument>();

    private static CrossFieldSample NotBefore(string later, string earlier) => new(
        (document, random) =>
        {
            if (document[later].CompareTo(document[earlier]) < 0)
            {
                document[later] = document[earlier];
            }
        },
        (document, _) => document[later] = new BsonDateTime(document[earlier].AsBsonDateTime.MillisecondsSinceEpoch - 1));
}
