using MongoDB.Bson;

namespace Platform.Api.Orders;

/// <summary>An order that is well formed and not yet placed.</summary>
/// <param name="Id">The id that the order will have.</param>
/// <param name="MayExist">
/// Whether the id was derived from an idempotency key, so that the order may have been placed already.
/// </param>
/// <param name="CustomerId">The customer.</param>
/// <param name="StoreId">The store.</param>
/// <param name="Lines">What is ordered; each product once.</param>
public sealed record OrderDraft(
    ObjectId Id, bool MayExist, ObjectId CustomerId, ObjectId StoreId,
    IReadOnlyList<(ObjectId ProductId, int Quantity)> Lines);
