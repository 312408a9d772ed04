using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Documents;
using Platform.Seeder.Generation;

namespace Platform.Seeder.Verification;

/// <summary>Checks that the figures inside a document agree.</summary>
internal static class AmountCheck
{
    /// <summary>What is wrong with a document; null when nothing is.</summary>
    public static string? FaultOf(SeedCollection part, RawBsonDocument document) => part.Kind switch
    {
        SeedKind.Order => FaultOf(Read<Order>(document)),
        SeedKind.Inventory when Read<InventoryItem>(document) is var item && item.Reserved > item.OnHand =>
            $"{part.Name} {item.Id}: {item.Reserved} are reserved of {item.OnHand}",
        _ => null,
    };

    /// <summary>What is wrong with an order; null when nothing is.</summary>
    public static string? FaultOf(Order order)
    {
        var wrong = order.Lines.FirstOrDefault(line => line.UnitPrice * line.Quantity != line.Total);
        return wrong is not null ? $"orders {order.Id}: {wrong.Quantity} times {wrong.UnitPrice} is not {wrong.Total}"
            : order.Lines.Sum(line => line.Total) != order.Subtotal ? $"orders {order.Id}: the lines' sum is not the subtotal {order.Subtotal}"
            : order.Subtotal + order.Tax != order.Total ? $"orders {order.Id}: {order.Subtotal} plus tax {order.Tax} is not {order.Total}"
            : null;
    }

    private static TDocument Read<TDocument>(RawBsonDocument document) => BsonSerializer.Deserialize<TDocument>(document);
}
