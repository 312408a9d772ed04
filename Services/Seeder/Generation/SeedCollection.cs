using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Documents;

namespace Platform.Seeder.Generation;

/// <summary>One collection's part of the seed data, as BSON, in order.</summary>
/// <param name="Name">The collection.</param>
/// <param name="Kind">The kind in the documents' keys.</param>
/// <param name="ExpectedCount">How many documents there are; an upper bound where it is not known before.</param>
/// <param name="Documents">Makes the documents; can be enumerated again.</param>
internal sealed record SeedCollection(string Name, SeedKind Kind, long ExpectedCount, Func<IEnumerable<byte[]>> Documents)
{
    /// <summary>All parts, referenced collections before those that refer to them.</summary>
    public static IReadOnlyList<SeedCollection> All(SeedSize size)
    {
        DocumentConventions.Register();
        long tenants = size.Tenants;
        return
        [
            Part(CollectionCatalogue.Tenants, SeedKind.Tenant, tenants, generator => generator.Tenants()),
            Part(CollectionCatalogue.Users, SeedKind.User, tenants * 12, generator => generator.Users()),
            Part(CollectionCatalogue.Stores, SeedKind.Store, tenants * size.Stores, generator => generator.Stores()),
            Part(CollectionCatalogue.Categories, SeedKind.Category, tenants * size.Categories, generator => generator.Categories()),
            Part(CollectionCatalogue.Products, SeedKind.Product, tenants * size.Products, generator => generator.Products()),
            Part(CollectionCatalogue.Inventory, SeedKind.Inventory, tenants * size.Products * 3, generator => generator.Inventory()),
            Part(CollectionCatalogue.Customers, SeedKind.Customer, tenants * size.Customers, generator => generator.Customers()),
            Part(CollectionCatalogue.Orders, SeedKind.Order, tenants * size.Orders, generator => generator.Orders()),
        ];

        SeedCollection Part<TDocument>(
            CollectionDefinition<TDocument> definition, SeedKind kind, long count, Func<SeedGenerator, IEnumerable<TDocument>> generate) =>
            new(definition.Name, kind, count, () => generate(new SeedGenerator(size)).Select(document => document.ToBson()));
    }
}
