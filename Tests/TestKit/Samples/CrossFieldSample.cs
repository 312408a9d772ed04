using MongoDB.Bson;
using Platform.Data.Documents;
using Platform.Data.Rules;

namespace Platform.Tests.TestKit.Samples;

/// <summary>How a random document is made to keep, and how to break, one rule over several fields.</summary>
/// <param name="Repair">Changes a document so that the rule holds.</param>
/// <param name="Break">Changes a document so that the rule does not hold.</param>
internal sealed record CrossFieldSample(Action<BsonDocument, Random> Repair, Action<BsonDocument, Random> Break)
{
    private static readonly Dictionary<string, CrossFieldSample> s_known = new(StringComparer.Ordinal)
    {
        ["updatedAtNotBeforeCreatedAt"] = NotBefore("updatedAt", "createdAt"),
        ["updatedAtNotBeforePlacedAt"] = NotBefore("updatedAt", "placedAt"),
        ["priceIsAmountOfCurrency"] = AmountOfCurrency("price"),
        ["totalIsAmountOfCurrency"] = AmountOfCurrency("total"),
        ["taxIsAmountOfCurrency"] = AmountOfCurrency("tax", chooses: false),
        ["unitPriceIsAmountOfCurrency"] = new(
            (document, random) =>
            {
                ChooseCurrency(document, random);
                foreach (var line in Lines(document))
                {
                    RoundAmount(line, "unitPrice", DecimalsOf(document));
                }
            },
            (document, random) => TooFine(Lines(document).ElementAt(random.Next(document["lines"].AsBsonArray.Count)), "unitPrice", DecimalsOf(document))),
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
                    var price = Math.Min(
                        Decimal128.ToDecimal(line["unitPrice"].AsDecimal128), decimal.Round(share / quantity, DecimalsOf(document), MidpointRounding.ToZero));
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
        s_known.TryGetValue(rule.Code, out var sample) ? sample : throw new NotSupportedException($"There is no sample of the rule {rule.Code}.");

    internal static ObjectId RandomId(Random random)
    {
        var bytes = new byte[12];
        random.NextBytes(bytes);
        return new ObjectId(bytes);
    }

    private static CrossFieldSample AmountOfCurrency(string field, bool chooses = true) => new(
        (document, random) =>
        {
            if (chooses)
            {
                ChooseCurrency(document, random);
            }

            RoundAmount(document, field, DecimalsOf(document));
        },
        (document, _) => TooFine(document, field, DecimalsOf(document)));

    // Three letters that were drawn are hardly ever a currency of other than two decimals.
    private static void ChooseCurrency(BsonDocument document, Random random)
    {
        if (random.Next(2) == 0)
        {
            var currencies = CurrencyUnits.Unusual.SelectMany(unusual => unusual.Currencies).ToArray();
            document["currency"] = currencies[random.Next(currencies.Length)];
        }
    }

    private static int DecimalsOf(BsonDocument document) => CurrencyUnits.DecimalsOf(document["currency"].AsString);

    private static void RoundAmount(BsonDocument document, string field, int decimals) =>
        document[field] = new Decimal128(decimal.Round(Decimal128.ToDecimal(document[field].AsDecimal128), decimals, MidpointRounding.ToZero));

    private static void TooFine(BsonDocument document, string field, int decimals) =>
        document[field] = new Decimal128(1m + new decimal(1, 0, 0, isNegative: false, scale: (byte)(decimals + 1)));

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
