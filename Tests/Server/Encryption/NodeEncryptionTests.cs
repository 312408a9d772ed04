using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Driver;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Platform.Data.Tenancy;
using Xunit;

namespace Platform.Tests.Server.Encryption;

/// <summary>What is encrypted here is MongoDB's own: Node.js' official driver reads it, and what that one encrypts is found and read here.</summary>
public sealed class NodeEncryptionTests(MongoServer server)
{
    private const string Package = "mongodb-client-encryption";

    private static readonly ObjectId s_tenant = new("0000000000000000000000a1");
    private static readonly JsonWriterSettings s_exact = new() { OutputMode = JsonOutputMode.CanonicalExtendedJson };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_driver_of_Node_js_reads_what_is_written_here_and_the_other_way_round()
    {
        NodeTools.Require("mongodb");
        var native = Path.Combine(NodeTools.Modules, Package, "build", "Release", "mongocrypt.node");
        Assert.SkipUnless(File.Exists(native), $"The npm package '{Package}' is not built in {NodeTools.Modules}: docs/testing.md says how.");
        var master = MasterKey.Create();
        var database = server.NewDatabase();
        (await JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), "up", Token)).Expect(ExitCodes.Success);
        using var encryption = new FieldEncryption(new MongoKeyVault(database), master);
        using var use = EncryptedDocuments.Use(encryption);
        var customers = new PlatformDatabase(database).ForTenant(s_tenant).Customers;
        var (ours, theirs) = (Customer("Ann"), Customer("Bob"));
        await customers.InsertAsync(ours, cancellationToken: Token);

        var node = await NodeTools.RunAsync(
            [NodeTools.Script("field-encryption.js"), database.DatabaseNamespace.DatabaseName, master.Provider, s_tenant.ToString()],
            null,
            ("CONNECTION_STRING", server.ConnectionString), ("MASTER_KEY", master.ToText().Trim()),
            ("READ", EncryptedDocuments.ToPlain(ours).ToJson(s_exact)), ("WRITE", EncryptedDocuments.ToPlain(theirs).ToJson(s_exact)));
        Assert.Equal("read and written", node.Expect(0).Output.Trim());

        Assert.Equal(theirs, await customers.Find(customers.With(customer => customer.Email, theirs.Email)).SingleAsync(Token));
        Assert.Equal(theirs, await customers.Find(customers.With(customer => customer.Phone, theirs.Phone!)).SingleAsync(Token));
        Assert.Equal(theirs, await customers.FindByIdAsync(theirs.Id, cancellationToken: Token));
        var raw = await database.GetCollection<BsonDocument>(CollectionNames.Customers).Find(new BsonDocument("_id", theirs.Id)).SingleAsync(Token);
        Assert.All(EncryptedFields.Of(typeof(Customer)), field => Assert.True(EncryptedField.IsEncrypted(raw[field.Name]), field.Name));
    }

    private static Customer Customer(string name) => new()
    {
        Id = ObjectId.GenerateNewId(),
        TenantId = s_tenant,
        Email = $"{name.ToLowerInvariant()}@shop.example",
        Name = name,
        Phone = $"+49 228 {name}",
        Address = new Address { Street = $"{name} straße 1", City = "Bonn", PostalCode = "53111", Country = "DE" },
        CreatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        UpdatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
    };
}
