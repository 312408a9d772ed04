using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Catalogue;
using Platform.Data.Documents;

namespace Platform.Seeder.Generation;

/// <summary>One collection's part of the seed data, as BSON, in the order of its keys.</summary>
internal sealed class SeedCollection
{
    private readonly Func<long, IEnumerable<byte[]>> _documentsOf;

    private SeedCollection(
        CollectionDefinition definition,
        SeedKind kind,
        int tenants,
        int unitsPerTenant,
        int keysPerUnit,
        IReadOnlyList<SeedReference> references,
        Func<long, IEnumerable<byte[]>> documentsOf)
    {
        Definition = definition;
        Kind = kind;
        References = references;
        UnitsPerTenant = unitsPerTenant;
        KeysPerUnit = keysPerUnit;
        Units = (long)tenants * unitsPerTenant;
        _documentsOf = documentsOf;
    }

    public CollectionDefinition Definition { get; }

    public string Name => Definition.Name;

    /// <summary>The kind in the documents' keys.</summary>
    public SeedKind Kind { get; }

    /// <summary>Which fields refer to other collections.</summary>
    public IReadOnlyList<SeedReference> References { get; }

    /// <summary>How many documents there are.</summary>
    public long Count => Units * KeysPerUnit;

    /// <summary>The keys' numbers of a tenant are this many in a row.</summary>
    public long CountPerTenant => (long)UnitsPerTenant * KeysPerUnit;

    /// <summary>The key of a number: that of its tenant's, and of the document among them.</summary>
    public ObjectId Key(long number) => SeedId.Create(Kind, (int)(number / CountPerTenant), number % CountPerTenant);

    private int UnitsPerTenant { get; }

    private int KeysPerUnit { get; }

    /// <summary>Documents that are made together count once.</summary>
    public long Units { get; }

    /// <summary>All parts, referenced collections before those that refer to them.</summary>
    public static IReadOnlyList<SeedCollection> All(SeedSize size)
    {
        DocumentConventions.Register();
        var generator = new SeedGenerator(size);
        return
        [
            One(CollectionCatalogue.Tenants, SeedKind.Tenant, 1, [], generator.Tenant),
            One(CollectionCatalogue.Users, SeedKind.User, SeedSize.Users, [SeedReference.Tenant], generator.User),
            One(CollectionCatalogue.Stores, SeedKind.Store, size.Stores, [SeedReference.Tenant], generator.Store),
            One(CollectionCatalogue.Categories, SeedKind.Category, size.Categories, [SeedReference.Tenant, SeedReference.Parent], generator.Category),
            One(CollectionCatalogue.Products, SeedKind.Product, size.Products, [SeedReference.Tenant, SeedReference.Category], generator.Product),
            new(
                CollectionCatalogue.Inventory, SeedKind.Inventory, size.Tenants, size.Products, SeedSize.StoresPerProduct,
                [SeedReference.Tenant, SeedReference.Product, SeedReference.Store],
                unit => generator.Inventory(unit).Select(Serialize)),
            One(CollectionCatalogue.Customers, SeedKind.Customer, size.Customers, [SeedReference.Tenant], generator.Customer),
            One(
                CollectionCatalogue.Orders, SeedKind.Order, size.Orders,
                [SeedReference.Tenant, SeedReference.Customer, SeedReference.Store, SeedReference.LineProduct], generator.Order),
            new(
                CollectionCatalogue.SaleEvents, SeedKind.SaleEvent, size.Tenants, size.Stores, OrderPattern.LinesPerStore,
                [SeedReference.Tenant, SeedReference.Store, SeedReference.Product, SeedReference.Order],
                unit => generator.SaleEvents(unit).Select(Serialize)),
            new(
                CollectionCatalogue.InventoryEvents, SeedKind.InventoryEvent, size.Tenants, size.Stores, SeedSize.InventoryEventsPerStore,
                [SeedReference.Tenant, SeedReference.Store, SeedReference.Product],
                unit => generator.InventoryEvents(unit).Select(Serialize)),
        ];

        SeedCollection One<TDocument>(
            CollectionDefinition<TDocument> definition, SeedKind kind, int perTenant, IReadOnlyList<SeedReference> references, Func<long, TDocument> create) =>
            new(definition, kind, size.Tenants, perTenant, 1, references, unit => [Serialize(create(unit))]);
    }

    /// <summary>Those parts of <paramref name="all"/> that are named, and those that they refer to, and so on.</summary>
    public static IReadOnlyList<SeedCollection> WithReferenced(IReadOnlyList<SeedCollection> all, IEnumerable<string> names)
    {
        var wanted = names.ToHashSet(StringComparer.Ordinal);

        // A part stands after what it refers to, so one pass from the end finds everything.
        for (var i = all.Count - 1; i >= 0; i--)
        {
            if (wanted.Contains(all[i].Name))
            {
                wanted.UnionWith(all[i].References.Select(reference => reference.Target));
            }
        }

        return [.. all.Where(part => wanted.Contains(part.Name))];
    }

    /// <summary>
    /// Whether the server keeps all documents for the next week at least: those of a time series expire, the first of them at the beginning of the
    /// history.
    /// </summary>
    /// <param name="size">What they are made from.</param>
    /// <param name="now">The present moment (UTC).</param>
    public bool IsKept(SeedSize size, DateTime now) =>
        Definition.TimeSeries?.ExpireAfter is not { } expires
        || size.Until.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc).AddDays(-SeedGenerator.HistoryDays - 8) + expires > now;

    /// <summary>Makes all documents.</summary>
    public IEnumerable<byte[]> Documents() => Documents(0, Count);

    /// <summary>Makes the documents whose keys' numbers are from one to before another; both are multiples of what belongs together.</summary>
    public IEnumerable<byte[]> Documents(long from, long to)
    {
        for (var unit = from / KeysPerUnit; unit < to / KeysPerUnit; unit++)
        {
            foreach (var document in _documentsOf(unit))
            {
                yield return document;
            }
        }
    }

    /// <summary>Cuts a row of keys' numbers into pieces of about the given size.</summary>
    public IEnumerable<(long From, long To)> Pieces(long from, long to, int size)
    {
        var step = Math.Max(1, size / KeysPerUnit) * (long)KeysPerUnit;
        for (var start = from; start < to; start += step)
        {
            yield return (start, Math.Min(start + step, to));
        }
    }

    private static byte[] Serialize<TDocument>(TDocument document) => document.ToBson(BsonSerializer.LookupSerializer<TDocument>());
}
