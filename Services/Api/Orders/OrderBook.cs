using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Api.Contracts;
using Platform.Api.Events;
using Platform.Data;
using Platform.Data.Connections;
using Platform.Data.Documents;
using Platform.Data.Events;
using Platform.Data.Tenancy;
using Platform.Data.Validation;

namespace Platform.Api.Orders;

/// <summary>Orders in the database. Stock, order and the entry of their events in the outbox change in one transaction.</summary>
public sealed class OrderBook(PlatformDatabase database, MongoResilience resilience, EventOutbox outbox, OutboxWriter writer, TimeProvider time) : IOrderBook
{
    /// <inheritdoc/>
    public Task<OrderOutcome> PlaceAsync(Tenant tenant, OrderDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(draft);
        // With a key of the caller the second run finds the order of the first; without one it might not be told apart.
        return resilience.RunAsync(
            "place order",
            draft.MayExist ? Repetition.Allowed : Repetition.Refused,
            token => PlaceOnceAsync(tenant, draft, token),
            cancellationToken);
    }

    private async Task<OrderOutcome> PlaceOnceAsync(Tenant tenant, OrderDraft draft, CancellationToken cancellationToken)
    {
        var scope = database.ForTenant(tenant.Id);

        // What an order does not change is read before the transaction, which so holds its locks for less long.
        var productIds = draft.Lines.Select(line => line.ProductId).ToArray();
        var customerSought = scope.Customers.FindByIdAsync(draft.CustomerId, cancellationToken: cancellationToken);
        var storeSought = scope.Stores.FindByIdAsync(draft.StoreId, cancellationToken: cancellationToken);
        var productsSought = scope.Products.Find(Builders<Product>.Filter.In(product => product.Id, productIds)
            & Builders<Product>.Filter.Eq(product => product.Status, ProductStatus.Active)).ToListAsync(cancellationToken);
        await Task.WhenAll(customerSought, storeSought, productsSought);
        var (customer, store) = (await customerSought, await storeSought);
        var products = (await productsSought).ToDictionary(product => product.Id);

        var unknown = productIds.Where(id => !products.ContainsKey(id)).ToArray();
        if (customer is null || store is null || unknown.Length > 0)
        {
            return new OrderOutcome.Unknown(customer is null, store is null, unknown);
        }

        if (store.Status != StoreStatus.Open)
        {
            return new OrderOutcome.StoreClosed();
        }

        var order = Write(tenant, draft, products);
        try
        {
            var (outcome, events) = await database.TransactAsync((session, token) => PlaceAsync(scope, draft, order, session, token), cancellationToken);
            if (events is not null)
            {
                await writer.DeliverAsync(events);
            }

            return outcome;
        }
        catch (ShortAfterAllException exception)
        {
            return exception.Outcome;
        }
        catch (DuplicateKeyException) when (draft.MayExist)
        {
            // The same request is in two places at once and the other was first.
            if (await scope.Orders.FindByIdAsync(draft.Id, cancellationToken: cancellationToken) is { } existing)
            {
                return Existing(existing, draft);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public Task<Order?> FindAsync(ObjectId tenantId, ObjectId orderId, CancellationToken cancellationToken) =>
        resilience.RunAsync(
            "find order",
            Repetition.Allowed,
            token => database.ForTenant(tenantId).Orders.FindByIdAsync(orderId, cancellationToken: token),
            cancellationToken);

    // The entry of the outbox is there when the order was placed.
    private async Task<(OrderOutcome Outcome, OutboxEntry? Events)> PlaceAsync(
        TenantScope scope, OrderDraft draft, Order order, IClientSessionHandle session, CancellationToken cancellationToken)
    {
        if (draft.MayExist && await scope.Orders.FindByIdAsync(draft.Id, session, cancellationToken) is { } existing)
        {
            return (Existing(existing, draft), null);
        }

        if (await FindShortAsync(scope, draft, session, cancellationToken) is { Lines.Count: > 0 } shortage)
        {
            return (shortage, null);
        }

        var taken = new List<InventoryEvent>(draft.Lines.Count);

        // In one order for all, so that orders for the same products wait for each other instead of dead-locking.
        foreach (var (productId, quantity) in draft.Lines.OrderBy(line => line.ProductId))
        {
            var left = await scope.Inventory.FindOneAndUpdateAsync(
                StockOf(draft.StoreId, productId)
                    & new BsonDocument("$expr", new BsonDocument("$gte", new BsonArray { Available(), quantity })),
                Builders<InventoryItem>.Update
                    .Inc(item => item.OnHand, -quantity)
                    .Set(item => item.UpdatedAt, order.PlacedAt),
                session,
                cancellationToken);
            if (left is null)
            {
                // Cannot happen while the transaction reads a snapshot; the condition holds on any server. Aborts.
                throw new ShortAfterAllException(await FindShortAsync(scope, draft, session: null, cancellationToken));
            }

            taken.Add(new InventoryEvent
            {
                Id = ObjectId.GenerateNewId(),
                TenantId = order.TenantId,
                At = order.PlacedAt,
                StoreId = order.StoreId,
                ProductId = productId,
                Kind = InventoryEventKind.Sold,
                Change = -quantity,
                OnHand = left.OnHand,
            });
        }

        await scope.Orders.InsertAsync(order, session, cancellationToken);
        var events = new OutboxEntry { Id = order.Id, TenantId = order.TenantId, CreatedAt = order.PlacedAt, Sales = SalesOf(order), Stock = taken };
        await outbox.AddAsync(events, session, cancellationToken);
        return (new OrderOutcome.Placed(order), events);
    }

    private static List<SaleEvent> SalesOf(Order order) =>
    [
        .. order.Lines.Select(line => new SaleEvent
        {
            Id = ObjectId.GenerateNewId(),
            TenantId = order.TenantId,
            At = order.PlacedAt,
            StoreId = order.StoreId,
            ProductId = line.ProductId,
            OrderId = order.Id,
            Quantity = line.Quantity,
            Total = line.Total,
            Currency = order.Currency,
        }),
    ];

    private static async Task<OrderOutcome.OutOfStock> FindShortAsync(
        TenantScope scope, OrderDraft draft, IClientSessionHandle? session, CancellationToken cancellationToken)
    {
        var items = await scope.Inventory
            .Find(
                Builders<InventoryItem>.Filter.In(item => item.ProductId, draft.Lines.Select(line => line.ProductId))
                    & Builders<InventoryItem>.Filter.Eq(item => item.StoreId, draft.StoreId),
                session)
            .ToListAsync(cancellationToken);
        var available = items.ToDictionary(item => item.ProductId, item => item.OnHand - item.Reserved);
        return new OrderOutcome.OutOfStock(
        [
            .. draft.Lines
                .Select(line => new ShortLine(line.ProductId.ToString(), line.Quantity, available.GetValueOrDefault(line.ProductId)))
                .Where(line => line.Available < line.Requested),
        ]);
    }

    private static FilterDefinition<InventoryItem> StockOf(ObjectId storeId, ObjectId productId) =>
        Builders<InventoryItem>.Filter.Eq(item => item.ProductId, productId)
        & Builders<InventoryItem>.Filter.Eq(item => item.StoreId, storeId);

    private static BsonDocument Available() => new("$subtract", new BsonArray { "$onHand", "$reserved" });

    private static OrderOutcome Existing(Order order, OrderDraft draft) =>
        order.CustomerId == draft.CustomerId
        && order.StoreId == draft.StoreId
        && order.Lines.Select(line => (line.ProductId, line.Quantity)).SequenceEqual(draft.Lines)
            ? new OrderOutcome.PlacedBefore(order)
            : new OrderOutcome.KeyReused();

    private Order Write(Tenant tenant, OrderDraft draft, Dictionary<ObjectId, Product> products)
    {
        // BSON dates have milliseconds; the answer now shall equal the answer later.
        var now = new BsonDateTime(time.GetUtcNow().UtcDateTime).ToUniversalTime();
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

    private sealed class ShortAfterAllException(OrderOutcome.OutOfStock outcome) : Exception
    {
        public OrderOutcome.OutOfStock Outcome { get; } = outcome;
    }
}
