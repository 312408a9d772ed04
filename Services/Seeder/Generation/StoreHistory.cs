using MongoDB.Bson;
using Platform.Data.Documents;

namespace Platform.Seeder.Generation;

/// <summary>What the orders of one store did to the stock of the products that it sells, the earliest first.</summary>
internal sealed class StoreHistory
{
    private readonly Dictionary<ObjectId, (List<StockMove> Moves, int Reserved, DateTime? Changed)> _products = [];

    private StoreHistory(long store) => Store = store;

    /// <summary>The store's number among those of all tenants.</summary>
    public long Store { get; }

    /// <summary>Adds up the orders of a store.</summary>
    /// <param name="store">The store's number among those of all tenants.</param>
    /// <param name="orders">Its orders.</param>
    public static StoreHistory Of(long store, IEnumerable<Order> orders)
    {
        var history = new StoreHistory(store);
        foreach (var order in orders)
        {
            foreach (var line in order.Lines)
            {
                history.Add(order, line);
            }
        }

        foreach (var (moves, _, _) in history._products.Values)
        {
            // Stable: what happened in one second stays in the order of the orders.
            var sorted = moves.OrderBy(move => move.At).ToList();
            moves.Clear();
            moves.AddRange(sorted);
        }

        return history;
    }

    /// <summary>How the stock of a product on hand changed.</summary>
    /// <param name="product">The product.</param>
    public IReadOnlyList<StockMove> Moves(ObjectId product) => _products.TryGetValue(product, out var known) ? known.Moves : [];

    /// <summary>How many pieces of a product are promised to orders that have not left the store.</summary>
    /// <param name="product">The product.</param>
    public int Reserved(ObjectId product) => _products.GetValueOrDefault(product).Reserved;

    /// <summary>When an order changed the stock of a product last; null when none did.</summary>
    /// <param name="product">The product.</param>
    public DateTime? Changed(ObjectId product) => _products.GetValueOrDefault(product).Changed;

    private void Add(Order order, OrderLine line)
    {
        var (moves, reserved, changed) = _products.TryGetValue(line.ProductId, out var known) ? known : ([], 0, null);
        switch (order.Status)
        {
            case var status when OrderPattern.Holds(status):
                reserved += line.Quantity;
                break;
            case OrderStatus.Shipped:
                moves.Add(new StockMove(order.UpdatedAt, InventoryEventKind.Sold, -line.Quantity));
                break;
            case OrderStatus.Delivered or OrderStatus.Refunded:
                // It left half-way to where it came to rest.
                var left = order.PlacedAt.AddSeconds(Math.Floor((order.UpdatedAt - order.PlacedAt).TotalSeconds / 2));
                moves.Add(new StockMove(left, InventoryEventKind.Sold, -line.Quantity));
                if (order.Status == OrderStatus.Refunded)
                {
                    moves.Add(new StockMove(order.UpdatedAt, InventoryEventKind.Returned, line.Quantity));
                }

                break;
        }

        var now = order.Status == OrderStatus.Cancelled ? changed : order.UpdatedAt;
        _products[line.ProductId] = (moves, reserved, changed is null || now > changed ? now : changed);
    }
}

/// <summary>One change of the stock on hand.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">Why.</param>
/// <param name="Change">By how many pieces.</param>
internal readonly record struct StockMove(DateTime At, InventoryEventKind Kind, int Change);
