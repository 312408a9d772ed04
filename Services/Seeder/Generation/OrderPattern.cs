using Platform.Data.Documents;

namespace Platform.Seeder.Generation;

/// <summary>
/// What the orders of every store have in common: how many there are, and of each, from the first to the latest, how many lines and which status it has.
/// So it is known without making them how many events they are followed by, and each event has its key.
/// </summary>
internal static class OrderPattern
{
    /// <summary>Orders of a store.</summary>
    public const int PerStore = 200;

    // Of twenty orders in a row: most of one line.
    private static readonly int[] s_lines = [1, 2, 1, 3, 1, 2, 1, 4, 2, 1, 1, 2, 5, 1, 3, 2, 1, 4, 2, 3];

    /// <summary>Lines of all orders of a store.</summary>
    public static int LinesPerStore { get; } = Count(_ => true);

    /// <summary>How often an order of a store changed the stock on hand, line by line: it left the store, or came back.</summary>
    public static int MovesPerStore { get; } = Count(LeftStore) + Count(order => Status(order) == OrderStatus.Refunded);

    /// <summary>How many lines an order has.</summary>
    /// <param name="order">Which of a store's orders, from 0.</param>
    public static int Lines(int order) => s_lines[order % s_lines.Length];

    /// <summary>What became of an order: the latest are under way, and of the others most were delivered.</summary>
    /// <param name="order">Which of a store's orders, from 0.</param>
    public static OrderStatus Status(int order) => (PerStore - order, order % s_lines.Length) switch
    {
        ( <= 3, _) => OrderStatus.Pending,
        (7, _) => OrderStatus.Cancelled,
        ( <= 8, _) => OrderStatus.Paid,
        ( <= 13, _) => OrderStatus.Shipped,
        (_, 7) => OrderStatus.Cancelled,
        (_, 13) => OrderStatus.Refunded,
        _ => OrderStatus.Delivered,
    };

    /// <summary>Whether an order's pieces are promised to it, and still in the store.</summary>
    /// <param name="status">The order's status.</param>
    public static bool Holds(OrderStatus status) => status is OrderStatus.Pending or OrderStatus.Paid;

    private static bool LeftStore(int order) => Status(order) is OrderStatus.Shipped or OrderStatus.Delivered or OrderStatus.Refunded;

    private static int Count(Func<int, bool> which) => Enumerable.Range(0, PerStore).Where(which).Sum(Lines);
}
