using Microsoft.Extensions.Logging.Abstractions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Data.Rules;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Platform.Migrator.Structure;
using Xunit;

namespace Platform.Tests.Server.Validation;

/// <summary>What a program hears when a server refuses its documents.</summary>
public sealed class RefusalTests(MongoServer server)
{
    private static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_document_is_explained_field_by_field()
    {
        var tenant = (await DatabaseAsync()).ForTenant(ObjectId.GenerateNewId());

        var insert = await Assert.ThrowsAsync<DocumentRefusedException>(
            () => tenant.Categories.InsertAsync(Category(tenant.TenantId) with { Slug = "No Slug", Position = -1 }, cancellationToken: Cancel));

        Assert.Equal(
            [
                new RuleViolation("/slug", "pattern", "Must be small letters and digits, in words joined by single hyphens."),
                new RuleViolation("/position", "minimum", "Must be at least 0."),
            ],
            insert.Violations);
    }

    [Fact]
    public async Task A_refused_replacement_is_explained_by_the_rule_over_several_fields()
    {
        var tenant = (await DatabaseAsync()).ForTenant(ObjectId.GenerateNewId());
        var category = Category(tenant.TenantId);
        await tenant.Categories.InsertAsync(category, cancellationToken: Cancel);

        var replace = await Assert.ThrowsAsync<DocumentRefusedException>(
            () => tenant.Categories.ReplaceAsync(category with { ParentId = category.Id }, cancellationToken: Cancel));

        Assert.Equal(new RuleViolation("/parentId", "notOwnParent", "Must be another category."), Assert.Single(replace.Violations));
    }

    [Fact]
    public async Task A_refused_update_whose_document_nobody_has_is_explained_by_the_server()
    {
        var tenant = (await DatabaseAsync()).ForTenant(ObjectId.GenerateNewId());
        var category = Category(tenant.TenantId);
        await tenant.Categories.InsertAsync(category, cancellationToken: Cancel);
        var one = Builders<Category>.Filter.Eq(other => other.Id, category.Id);

        var fields = await Assert.ThrowsAsync<DocumentRefusedException>(() => tenant.Categories.UpdateOneAsync(
            one, Builders<Category>.Update.Set(other => other.Position, -1).Set(other => other.Slug, "-"), cancellationToken: Cancel));
        var across = await Assert.ThrowsAsync<DocumentRefusedException>(() => tenant.Categories.FindOneAndUpdateAsync(
            one, Builders<Category>.Update.Set(other => other.ParentId, category.Id), cancellationToken: Cancel));

        Assert.Equal(["/position minimum", "/slug pattern"], fields.Violations.Select(violation => $"{violation.Pointer} {violation.Code}").Order());
        Assert.Equal(new RuleViolation("/parentId", "notOwnParent", "Must be another category."), Assert.Single(across.Violations));
    }

    [Fact]
    public async Task A_key_that_is_taken_is_named_with_its_value()
    {
        var tenant = (await DatabaseAsync()).ForTenant(ObjectId.GenerateNewId());
        await tenant.Categories.InsertAsync(Category(tenant.TenantId), cancellationToken: Cancel);

        var taken = await Assert.ThrowsAsync<DuplicateKeyException>(
            () => tenant.Categories.InsertAsync(Category(tenant.TenantId), cancellationToken: Cancel));
        var id = await Assert.ThrowsAsync<DuplicateKeyException>(async () =>
        {
            var category = Category(tenant.TenantId) with { Slug = "other" };
            await tenant.Categories.InsertAsync(category, cancellationToken: Cancel);
            await tenant.Categories.InsertAsync(category with { Slug = "another" }, cancellationToken: Cancel);
        });

        Assert.Equal(("tenant_slug", "tools"), (taken.Index, taken.Key["slug"]?.AsString));
        Assert.Equal("/slug", Assert.Single(taken.Violations).Pointer);
        Assert.Equal("/_id", Assert.Single(id.Violations).Pointer);
    }

    [Fact]
    public async Task Of_several_documents_the_refused_one_is_explained()
    {
        var tenant = (await DatabaseAsync()).ForTenant(ObjectId.GenerateNewId());

        var refused = await Assert.ThrowsAsync<DocumentRefusedException>(() => tenant.Categories.InsertManyAsync(
            [Category(tenant.TenantId), Category(tenant.TenantId) with { Slug = "second", Name = "" }], cancellationToken: Cancel));

        Assert.Equal(new RuleViolation("/name", "minLength", "Must be 1 to 200 characters long."), Assert.Single(refused.Violations));
        Assert.Equal(1, await tenant.Categories.CountAsync(cancellationToken: Cancel));
    }

    private static Category Category(ObjectId tenantId) => new()
    {
        Id = ObjectId.GenerateNewId(), TenantId = tenantId, Slug = "tools", Name = "Tools", Position = 0, CreatedAt = Now, UpdatedAt = Now,
    };

    private async Task<PlatformDatabase> DatabaseAsync()
    {
        var database = server.NewDatabase();
        await new CatalogueSynchroniser(database, TimeProvider.System, NullLogger<CatalogueSynchroniser>.Instance).ApplyAsync(allowDrop: false, Cancel);
        return new PlatformDatabase(database);
    }
}
