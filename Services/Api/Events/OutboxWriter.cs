using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Caching;
using Platform.Caching.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Tenancy;

namespace Platform.Api.Events;

/// <summary>
/// Commits changes together with the entries of their events, and sees to what follows a commit: the cache forgets what
/// was changed, and <see cref="OutboxDelivery"/> gets the events. What of this does not come to pass, because the process
/// ends, <see cref="OutboxRelay"/> does.
/// </summary>
public sealed class OutboxWriter(
    PlatformDatabase database, EventOutbox outbox, DataCaches caches, OutboxDelivery delivery)
{
    /// <summary>
    /// Carries out a change in a transaction. Whatever was or may have been committed is forgotten by the cache, also
    /// when this ends in an exception: the commit may have been carried out all the same, or will be.
    /// </summary>
    /// <typeparam name="TResult">What the change results in.</typeparam>
    /// <param name="change">
    /// Makes the change in the session and returns its events; null when it changed nothing. It is run again after
    /// passing conflicts.
    /// </param>
    /// <param name="cancellationToken">Cancels the transaction.</param>
    public async Task<TResult> CommitAsync<TResult>(
        Func<IClientSessionHandle, CancellationToken, Task<(TResult Result, OutboxEntry? Events)>> change,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(change);
        OutboxEntry? attempted = null;
        TResult result;
        OutboxEntry? committed;
        try
        {
            (result, committed) = await database.TransactAsync(
                async (session, token) =>
                {
                    var done = await change(session, token);
                    if (done.Events is not null)
                    {
                        attempted = done.Events;
                        await outbox.AddAsync(done.Events, session, token);
                    }

                    return done;
                },
                cancellationToken);
        }
        finally
        {
            // Before the events, whose entry brings a process that ends here back to it.
            if (attempted is not null)
            {
                await ForgetAsync(attempted.TenantId, attempted.Stock.Select(stock => stock.ProductId));
            }
        }

        if (committed is not null)
        {
            delivery.Add(committed);
        }

        return result;
    }

    /// <summary>
    /// Lets the cache forget products that a change found in the database was about: who committed it may not have come
    /// to this.
    /// </summary>
    /// <param name="tenantId">The tenant.</param>
    /// <param name="productIds">The products.</param>
    public Task ForgetAsync(ObjectId tenantId, IEnumerable<ObjectId> productIds) =>
        caches.InvalidateAsync(NamesOf(tenantId, productIds));

    /// <summary>The names of what the caches have of products.</summary>
    internal static string[] NamesOf(ObjectId tenantId, IEnumerable<ObjectId> productIds)
    {
        var tenant = tenantId.ToString();
        return [.. productIds.Distinct().Select(product => CacheKeys.Product(tenant, product.ToString()).Text)];
    }
}
