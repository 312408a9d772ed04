using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MongoDB.Bson;
using Platform.Api.Problems;

namespace Platform.Api.Orders;

/// <summary>
/// Reads an order from JSON by hand, since a deserializer stops at the first wrong field and the caller is told all of them.
/// </summary>
public static class OrderRequestReader
{
    /// <summary>The most lines that one order may have.</summary>
    public const int MaxLines = 100;

    /// <summary>The most pieces that one line may ask for.</summary>
    public const int MaxQuantity = 10_000;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Reads the order, or says in <paramref name="errors"/> what is wrong with it.</summary>
    /// <param name="body">The request's body.</param>
    /// <param name="idempotencyKey">The header <c>Idempotency-Key</c>, when it was sent.</param>
    /// <param name="errors">Collects the wrong fields.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>A function that makes the draft once the tenant is known; null when something is wrong.</returns>
    public static async Task<Func<ObjectId, OrderDraft>?> ReadAsync(
        Stream body, string? idempotencyKey, RequestErrors errors, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if (idempotencyKey is not null && (idempotencyKey.Length is 0 or > 255 || idempotencyKey.Any(c => c is < ' ' or > '~')))
        {
            errors.Add("Idempotency-Key", "Must be 1 to 255 printable ASCII characters.");
        }

        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(body, Options, cancellationToken);
        }
        catch (JsonException exception)
        {
            errors.Add("body", string.Create(
                CultureInfo.InvariantCulture,
                $"Must be a JSON object; the text is wrong at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}."));
            return null;
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                errors.Add("body", "Must be a JSON object.");
                return null;
            }

            var customer = Id(root, "customerId", "customerId", errors);
            var store = Id(root, "storeId", "storeId", errors);
            var lines = Lines(root, errors);
            return errors.None
                ? tenantId => new OrderDraft(OrderId(tenantId, idempotencyKey), idempotencyKey is not null, customer, store, lines)
                : null;
        }
    }

    // The id follows from the key, so that the unique index on _id, which every collection has, keeps a repeated request
    // from becoming a second order.
    private static ObjectId OrderId(ObjectId tenantId, string? idempotencyKey) => idempotencyKey is null
        ? ObjectId.GenerateNewId()
        : new ObjectId(SHA256.HashData([.. tenantId.ToByteArray(), .. Encoding.ASCII.GetBytes(idempotencyKey)])[..12]);

    private static List<(ObjectId ProductId, int Quantity)> Lines(JsonElement root, RequestErrors errors)
    {
        List<(ObjectId ProductId, int Quantity)> lines = [];
        if (!root.TryGetProperty("lines", out var array) || array.ValueKind != JsonValueKind.Array)
        {
            errors.Add("lines", "Is required and must be an array.");
            return lines;
        }

        if (array.GetArrayLength() is 0 or > MaxLines)
        {
            errors.Add("lines", string.Create(CultureInfo.InvariantCulture, $"Must have 1 to {MaxLines} entries."));
            return lines;
        }

        var index = 0;
        foreach (var line in array.EnumerateArray())
        {
            var field = string.Create(CultureInfo.InvariantCulture, $"lines[{index++}]");
            if (line.ValueKind != JsonValueKind.Object)
            {
                errors.Add(field, "Must be an object with productId and quantity.");
                continue;
            }

            var product = Id(line, "productId", $"{field}.productId", errors);
            if (product != ObjectId.Empty && lines.Any(earlier => earlier.ProductId == product))
            {
                errors.Add($"{field}.productId", "Is on an earlier line already.");
            }

            if (!line.TryGetProperty("quantity", out var quantity)
                || quantity.ValueKind != JsonValueKind.Number
                || !quantity.TryGetInt32(out var pieces)
                || pieces is < 1 or > MaxQuantity)
            {
                errors.Add(
                    $"{field}.quantity",
                    string.Create(CultureInfo.InvariantCulture, $"Must be a whole number from 1 to {MaxQuantity}."));
                pieces = 0;
            }

            lines.Add((product, pieces));
        }

        return lines;
    }

    private static ObjectId Id(JsonElement parent, string name, string field, RequestErrors errors)
    {
        if (parent.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String
            && ObjectId.TryParse(value.GetString(), out var id))
        {
            return id;
        }

        errors.Add(field, "Must be an id: 24 hexadecimal digits in a string.");
        return ObjectId.Empty;
    }
}
