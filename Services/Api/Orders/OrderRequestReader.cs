using System.Security.Cryptography;
using System.Text;
using MongoDB.Bson;
using Platform.Api.Problems;
using Platform.Api.Requests;
using Platform.Data.Rules;

namespace Platform.Api.Orders;

/// <summary>Reads an order to place from a request.</summary>
public static class OrderRequestReader
{
    private const int MaxKeyLength = 255;

    private static readonly OrderRequestValidator s_validator = new();

    /// <summary>Reads the order, or says in <paramref name="errors"/> what is wrong with it.</summary>
    /// <param name="tenantId">The tenant who is to have the order.</param>
    /// <param name="body">The request's body.</param>
    /// <param name="idempotencyKey">The header <c>Idempotency-Key</c>, when it was sent.</param>
    /// <param name="errors">Collects the wrong places.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The order; null when something is wrong.</returns>
    public static async Task<OrderDraft?> ReadAsync(
        ObjectId tenantId, Stream body, string? idempotencyKey, RequestErrors errors,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(errors);
        if (idempotencyKey is not null
            && (idempotencyKey.Length is 0 or > MaxKeyLength || idempotencyKey.Any(c => c is < ' ' or > '~')))
        {
            errors.Header(
                "Idempotency-Key", RuleCodes.Pattern, $"Must be 1 to {MaxKeyLength} printable ASCII characters.");
        }

        var request = await RequestBody.ReadAsync(body, s_validator, errors, cancellationToken);
        return request is null || !errors.None
            ? null
            : new OrderDraft(
                OrderId(tenantId, idempotencyKey),
                idempotencyKey is not null,
                ObjectId.Parse(request.CustomerId),
                ObjectId.Parse(request.StoreId),
                [.. request.Lines.Select(line => (ObjectId.Parse(line.ProductId), line.Quantity))]);
    }

    // The id follows from the key, so that the unique index on _id, which every collection has, keeps a repeated
    // request from becoming a second order.
    private static ObjectId OrderId(ObjectId tenantId, string? idempotencyKey) => idempotencyKey is null
        ? ObjectId.GenerateNewId()
        : new ObjectId(SHA256.HashData([.. tenantId.ToByteArray(), .. Encoding.ASCII.GetBytes(idempotencyKey)])[..12]);
}
