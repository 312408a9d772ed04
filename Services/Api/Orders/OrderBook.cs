using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Api.Contracts;
using Platform.Api.Events;
using Platform.Api.Products;
using Platform.Data.Documents;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Platform.Mongo.Connections;

namespace Platform.Api.Orders;

/// <summary>
/// Orders in the database. Stock, order and the entry of their events in the outbox change in one transaction.
/// </summary>
public sealed class OrderBook(
    PlatformDatabase database, MongoResilience resilience, OutboxWriter writer, TimeProvider time) : IOrderBook
{
    private static readonly BsonDocument s_key = new("_id", 1);
    private static readonly BsonDocument s_status = new("status", 1);
    private static readonly BsonString s_onSale = DocumentConventions.Stored(ProductStatus.Active);
    private static readonly BsonString s_open = DocumentConventions.Stored(StoreStatus.Open);

    /// <inheritdoc/>
    public Task<OrderOutcome> PlaceAsync(Tenant tenant, OrderDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(draft);
        // May be repeated: an order of the draft's id can only have come from this request, or one with its key, so a
        // run finds what the one before it did.
        var run = new Run(draft.MayExist);
        return resilience.RunAsync(
            "place order", Repetition.Allowed, token => PlaceAsync(tenant, draft, run, token), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Order?> FindAsync(ObjectId tenantId, ObjectId orderId, CancellationToken cancellationToken) =>
        resilience.RunAsync(
            "find order",
            Repetition.Allowed,
            token => database.ForTenant(tenantId).Orders.FindByIdAsync(orderId, cancellationToken: token),
            cancellationToken);

    /// <summary>The order that a draft becomes at the prices of the moment.</summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="draft">The draft.</param>
    /// <param name="products">Its products, which are for sale.</param>
    /// <param name="now">The moment.</param>
    internal static Order Write(
        Tenant tenant, OrderDraft draft, IReadOnlyDictionary<ObjectId, ListedProduct> products, DateTime now)
    {
        var lines = draft.Lines.Select(line =>
        {
            var product = products[line.ProductId];
            return new OrderLine
            {
                ProductId = product.Id,
                Sku = product.Sku,
                Name = product.Name,
                Quantity = line.Quantity,
                UnitPrice = product.Price,
                Total = product.Price * line.Quantity,
            };
        }).ToList();
        // Nothing is rounded: prices are amounts of the currency, and so are their multiples and sums.
        var subtotal = lines.Sum(line => line.Total);
        return new Order
        {
            Id = draft.Id,
            TenantId = tenant.Id,
            // As unique as the id it is made of.
            Number = $"ORD-{draft.Id.ToString().ToUpperInvariant()}",
            CustomerId = draft.CustomerId,
            StoreId = draft.StoreId,
            Lines = lines,
            ItemCount = lines.Sum(line => line.Quantity),
            Currency = tenant.Currency,
            // Prices include tax: tenants have no tax rates of their own.
            Subtotal = subtotal,
            Tax = 0m,
            Total = subtotal,
            Status = OrderStatus.Pending,
            PlacedAt = now,
            UpdatedAt = now,
        };
    }

    /// <summary>
    /// The products that cannot be sold at their price: it is in another currency than the tenant's, or is no amount of
    /// it.
    /// </summary>
    /// <param name="tenant">The tenant.</param>
    /// <param name="products">The products.</param>
    internal static OrderOutcome.WronglyPriced? FindWronglyPriced(Tenant tenant, IEnumerable<ListedProduct> products)
    {
        var wrong = products
            .Where(product => product.Currency != tenant.Currency
                || !CurrencyUnits.IsAmount(product.Price, tenant.Currency))
            .Select(product => (product.Id, product.Currency))
            .ToList();
        return wrong.Count == 0 ? null : new OrderOutcome.WronglyPriced(wrong);
    }

    /// <summary>What an order sold, line by line.</summary>
    /// <param name="order">The order.</param>
    internal static IReadOnlyList<SaleEvent> SalesOf(Order order) =>
        [.. order.Lines.Select(line => SaleEvent.Of(ObjectId.GenerateNewId(), order, line))];

    private async Task<OrderOutcome> PlaceAsync(
        Tenant tenant, OrderDraft draft, Run run, CancellationToken cancellationToken)
    {
        // What was placed stays placed, whatever has become of its store, customer and products since. An order that is there is met by its key in the end,
        // and looked for then, and at once only by who has tried before: nearly all are new.
        var scope = database.ForTenant(tenant.Id);
        if (run.BeginAttempt() && await FindPlacedAsync(scope, draft, cancellationToken) is { } before)
        {
            return before;
        }

        try
        {
            var outcome = await PlaceNewAsync(scope, tenant, draft, run, cancellationToken);
            // What stands in the way may be the same order, placed meanwhile by another request with its key or by a
            // commit whose answer was lost.
            return outcome is OrderOutcome.Placed || !run.MayExist
                ? outcome
                : await FindPlacedAsync(scope, draft, cancellationToken) ?? outcome;
        }
        catch (DuplicateKeyException) when (run.MayExist)
        {
            if (await FindPlacedAsync(scope, draft, cancellationToken) is { } placed)
            {
                return placed;
            }

            throw;
        }
    }

    private async Task<OrderOutcome> PlaceNewAsync(
        TenantScope scope, Tenant tenant, OrderDraft draft, Run run, CancellationToken cancellationToken)
    {
        // What an order does not change is read before the transaction, which so holds its locks for less long.
        ObjectId[] productIds = [.. draft.Lines.Select(line => line.ProductId)];
        var customerSought = scope.Customers.Find(ById(draft.CustomerId)).Project(s_key).FirstOrDefaultAsync(cancellationToken);
        var storeSought = scope.Stores.Find(ById(draft.StoreId)).Project(s_status).FirstOrDefaultAsync(cancellationToken);
        var productsSought = scope.Products
            .Find(new BsonDocument { { "_id", new BsonDocument("$in", new BsonArray(productIds)) }, { "status", s_onSale } })
            .Project(ListedProduct.Fields)
            .ToListAsync(cancellationToken);
        await Task.WhenAll(customerSought, storeSought, productsSought);
        var (customer, store) = (await customerSought, await storeSought);
        var products = (await productsSought).ToDictionary(product => product.Id);

        var unknown = productIds.Where(id => !products.ContainsKey(id)).ToArray();
        if (customer is null || store is null || unknown.Length > 0)
        {
            return new OrderOutcome.Unknown(customer is null, store is null, unknown);
        }

        if (store.GetValue("status", BsonNull.Value) != s_open)
        {
            return new OrderOutcome.StoreClosed();
        }

        if (FindWronglyPriced(tenant, products.Values) is { } wronglyPriced)
        {
            return wronglyPriced;
        }

        // BSON dates have milliseconds; the answer now shall equal the answer later.
        var order = Write(tenant, draft, products, new BsonDateTime(time.GetUtcNow().UtcDateTime).ToUniversalTime());
        return await writer.CommitAsync(
            (session, token) =>
            {
                run.BeginTransaction();
                return TakeAsync(scope, draft, order, session, token);
            },
            cancellationToken);
    }

    // Null when there is no such order.
    private async Task<OrderOutcome?> FindPlacedAsync(
        TenantScope scope, OrderDraft draft, CancellationToken cancellationToken)
    {
        if (await scope.Orders.Deciding.FindByIdAsync(draft.Id, cancellationToken: cancellationToken) is not { } order)
        {
            return null;
        }

        await writer.ForgetAsync(scope.TenantId, order.Lines.Select(line => line.ProductId));
        return !draft.MayExist ? new OrderOutcome.Placed(order)
            : order.CustomerId == draft.CustomerId
                && order.StoreId == draft.StoreId
                && order.Lines.Select(line => (line.ProductId, line.Quantity)).SequenceEqual(draft.Lines)
                ? new OrderOutcome.PlacedBefore(order)
            : new OrderOutcome.KeyReused();
    }

    // There are events when the order was placed.
    private static async Task<(OrderOutcome Outcome, OutboxEntry? Events)> TakeAsync(
        TenantScope scope, OrderDraft draft, Order order, IClientSessionHandle session,
        CancellationToken cancellationToken)
    {
        // First, so that one that is there is met before any stock is held.
        await scope.Orders.InsertAsync(order, session, cancellationToken);
        var taken = new List<InventoryEvent>(draft.Lines.Count);

        // In one order for all, so that orders for the same products wait for each other instead of dead-locking.
        foreach (var (productId, quantity) in draft.Lines.OrderBy(line => line.ProductId))
        {
            var left = await scope.Inventory.FindOneAndUpdateAsync(
                new BsonDocument
                {
                    { "productId", productId },
                    { "storeId", draft.StoreId },
                    { "$expr", new BsonDocument("$gte", new BsonArray { new BsonDocument("$subtract", new BsonArray { "$onHand", "$reserved" }), quantity }) },
                },
                new BsonDocument
                {
                    { "$inc", new BsonDocument { { "onHand", -quantity }, { "sequence", 1L } } },
                    { "$set", new BsonDocument("updatedAt", order.PlacedAt) },
                },
                session,
                cancellationToken);
            if (left is null)
            {
                // Only now is it worth while to know what else is short. What was taken so far is given back with the rest.
                var shortage = await FindShortAsync(scope, draft, taken, session, cancellationToken);
                await session.AbortTransactionAsync(cancellationToken);
                return (shortage, null);
            }

            taken.Add(new InventoryEvent
            {
                Id = ObjectId.GenerateNewId(),
                TenantId = order.TenantId,
                At = order.PlacedAt,
                StoreId = order.StoreId,
                ProductId = productId,
                Kind = InventoryEventKind.Sold,
                Sequence = left.Sequence,
                Change = -quantity,
                OnHand = left.OnHand,
            });
        }

        return (
            new OrderOutcome.Placed(order),
            new OutboxEntry
            {
                Id = order.Id,
                TenantId = order.TenantId,
                CreatedAt = order.PlacedAt,
                Sales = SalesOf(order),
                Stock = taken,
            });
    }

    // As the transaction sees the stock, with what it has taken.
    private static async Task<OrderOutcome.OutOfStock> FindShortAsync(
        TenantScope scope, OrderDraft draft, IReadOnlyList<InventoryEvent> taken, IClientSessionHandle session, CancellationToken cancellationToken)
    {
        var items = await scope.Inventory
            .Find(
                new BsonDocument
                {
                    { "productId", new BsonDocument("$in", new BsonArray(draft.Lines.Select(line => line.ProductId))) }, { "storeId", draft.StoreId },
                },
                session)
            .ToListAsync(cancellationToken);
        var available = items.ToDictionary(item => item.ProductId, item => item.OnHand - item.Reserved);
        foreach (var change in taken)
        {
            available[change.ProductId] -= change.Change;
        }

        return new OrderOutcome.OutOfStock(
        [
            .. draft.Lines
                .Select(line => new ShortLine(
                    line.ProductId.ToString(), line.Quantity, available.GetValueOrDefault(line.ProductId)))
                .Where(line => line.Available < line.Requested),
        ]);
    }

    private static BsonDocument ById(ObjectId id) => new("_id", id);

    /// <summary>What is known of one order over all attempts to place it.</summary>
    private sealed class Run(bool mayExist)
    {
        private bool _begun;

        /// <summary>
        /// Whether the order may be there: it has a key of the caller, or a transaction before this one may have been
        /// committed.
        /// </summary>
        public bool MayExist { get; private set; } = mayExist;

        /// <summary>Another attempt begins; why the one before did not do is not known.</summary>
        /// <returns>Whether a transaction before may have been committed.</returns>
        public bool BeginAttempt()
        {
            MayExist |= _begun;
            return _begun;
        }

        /// <summary>Its transaction begins, or begins again.</summary>
        public void BeginTransaction()
        {
            MayExist |= _begun;
            _begun = true;
        }
    }
}
