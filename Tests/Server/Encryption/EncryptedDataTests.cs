using System.Text;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Platform.Data.Tenancy;
using Platform.Data.Validation;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Server.Encryption;

/// <summary>Personal data on a server, and the commands and programs that have to do with its keys.</summary>
public sealed class EncryptedDataTests(MongoServer server) : IDisposable
{
    private const string Marker = "marker-7f3a";
    private const string KeyFile = "Encryption__MasterKeyFile";
    private const string PreviousFile = "Encryption__PreviousMasterKeyFile";

    private static readonly ObjectId One = new("0000000000000000000000a1");
    private static readonly ObjectId Other = new("0000000000000000000000b2");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("encryption");
    private readonly MasterKey _master = MasterKey.Create();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_customer_is_found_by_address_and_nothing_of_it_is_stored_in_the_clear()
    {
        var database = await MigratedAsync();
        using var encryption = Encryption(database);
        using var use = EncryptedDocuments.Use(encryption);
        var customers = new PlatformDatabase(database).ForTenant(One).Customers;
        var customer = Customer(One, "ann");
        await customers.InsertAsync(customer, cancellationToken: Token);
        await customers.InsertAsync(Customer(One, "bob"), cancellationToken: Token);

        Assert.Equal(customer, await customers.Find(customers.With(each => each.Email, customer.Email.ToUpperInvariant())).SingleAsync(Token));
        Assert.Equal(customer, await customers.Find(customers.With(each => each.Phone, customer.Phone!)).SingleAsync(Token));
        Assert.Equal(customer, await customers.FindByIdAsync(customer.Id, cancellationToken: Token));
        Assert.Empty(await customers.Find(customers.With(each => each.Email, "nobody@shop.example")).ToListAsync(Token));

        var raw = await database.GetCollection<RawBsonDocument>(CollectionNames.Customers).Find(new BsonDocument("_id", customer.Id)).SingleAsync(Token);
        foreach (var field in EncryptedFields.Of(typeof(Customer)))
        {
            Assert.Equal(BsonBinarySubType.Encrypted, raw[field.Name].AsBsonBinaryData.SubType);
        }

        Assert.DoesNotContain(Marker, Encoding.UTF8.GetString(raw.ToBson()), StringComparison.Ordinal);

        // Written anew, and changed in what is not encrypted.
        var moved = customer with { Address = customer.Address! with { City = "Bonn" } };
        Assert.True(await customers.ReplaceAsync(moved, cancellationToken: Token));
        await customers.UpdateOneAsync(
            Builders<Customer>.Filter.Eq(each => each.Id, customer.Id), Builders<Customer>.Update.Set(each => each.Name, "Ann B."), cancellationToken: Token);
        Assert.Equal(moved with { Name = "Ann B." }, await customers.FindByIdAsync(customer.Id, cancellationToken: Token));
    }

    [Fact]
    public async Task An_address_is_unique_in_a_tenant_and_may_be_in_another()
    {
        var database = await MigratedAsync();
        using var encryption = Encryption(database);
        using var use = EncryptedDocuments.Use(encryption);
        var platform = new PlatformDatabase(database);
        await platform.ForTenant(One).Customers.InsertAsync(Customer(One, "ann"), cancellationToken: Token);
        await Assert.ThrowsAsync<DuplicateKeyException>(
            () => platform.ForTenant(One).Customers.InsertAsync(Customer(One, "ann"), cancellationToken: Token));
        await platform.ForTenant(Other).Customers.InsertAsync(Customer(Other, "ann"), cancellationToken: Token);
        var stored = await database.GetCollection<BsonDocument>(CollectionNames.Customers).Find(new BsonDocument()).ToListAsync(Token);
        Assert.Equal(2, stored.Select(document => document["email"]).Distinct().Count());
    }

    [Fact]
    public async Task Rules_hold_before_the_encryption_and_the_server_takes_both_forms_and_no_third()
    {
        var database = await MigratedAsync();
        using var encryption = Encryption(database);
        using (EncryptedDocuments.Use(encryption))
        {
            var customers = new PlatformDatabase(database).ForTenant(One).Customers;
            var refused = await Assert.ThrowsAsync<DocumentRefusedException>(
                () => customers.InsertAsync(Customer(One, "ann") with { Email = "Not An Address" }, cancellationToken: Token));
            Assert.Equal("/email", Assert.Single(refused.Violations).Pointer);
            refused = await Assert.ThrowsAsync<DocumentRefusedException>(() => customers.InsertAsync(
                Customer(One, "ann") with { Address = Customer(One, "ann").Address! with { Country = "Germany" } }, cancellationToken: Token));
            Assert.Equal("/address/country", Assert.Single(refused.Violations).Pointer);
        }

        foreach (var collection in (CollectionDefinition[])[CollectionCatalogue.Users, CollectionCatalogue.Customers])
        {
            var fields = EncryptedFields.Of(collection.DocumentType);
            var samples = new DocumentSamples(collection, seed: 3);
            var documents = database.GetCollection<BsonDocument>(collection.Name);
            for (var i = 0; i < 20; i++)
            {
                var document = samples.Valid();
                document["_id"] = ObjectId.GenerateNewId();
                document["email"] = $"person{i}@shop.example";
                if (i % 2 == 0)
                {
                    encryption.Encrypt(fields, document);
                }

                await documents.InsertOneAsync(document, cancellationToken: Token);
                Assert.Empty(collection.Rules.Evaluate(document));
            }

            foreach (var field in fields)
            {
                var document = samples.Valid();
                document["_id"] = ObjectId.GenerateNewId();
                document["email"] = "other@shop.example";
                document[field.Name] = 17;
                await Assert.ThrowsAsync<MongoWriteException>(() => documents.InsertOneAsync(document, cancellationToken: Token));
            }
        }
    }

    [Fact]
    public async Task Keys_made_at_once_by_many_are_one()
    {
        var database = await MigratedAsync();
        var encryptions = Enumerable.Range(0, 6).Select(_ => Encryption(database)).ToList();
        await Task.WhenAll(encryptions.Select(encryption => encryption.PrepareAsync(One, Token)));
        Assert.Equal(1, await database.GetCollection<BsonDocument>(CollectionNames.KeyVault).CountDocumentsAsync(new BsonDocument(), cancellationToken: Token));
        var field = EncryptedFields.Of(typeof(User))[0];
        Assert.Single(encryptions.Select(encryption => encryption.Encrypt(One, field, "a@b")).Distinct());
        encryptions.ForEach(encryption => encryption.Dispose());
    }

    [Fact]
    public async Task Keys_are_shown_and_rotated_and_destroyed_by_commands()
    {
        var (database, file) = (await MigratedAsync(), Write(_master, "master.key"));
        using (var encryption = Encryption(database))
        using (EncryptedDocuments.Use(encryption))
        {
            await new PlatformDatabase(database).ForTenant(One).Customers.InsertAsync(Customer(One, "ann"), cancellationToken: Token);
            await new PlatformDatabase(database).ForTenant(Other).Customers.InsertAsync(Customer(Other, "bob"), cancellationToken: Token);
        }

        var status = (await MigratorAsync(database, "keys status --json", (KeyFile, file))).Expect(ExitCodes.Success).Json;
        Assert.Equal(_master.Provider, status.GetProperty("masterKey").GetString());
        Assert.Equal(
            [$"tenant:{One}", $"tenant:{Other}"], status.GetProperty("keys").EnumerateArray().Select(key => key.GetProperty("name").GetString()).Order());
        var email = status.GetProperty("fields").EnumerateArray().Single(
            field => field.GetProperty("collection").GetString() == "customers" && field.GetProperty("field").GetString() == "email");
        Assert.Equal((2, 0), (email.GetProperty("encrypted").GetInt32(), email.GetProperty("plain").GetInt32()));

        // To a new master key, when programs know it; with the old one alone nothing works any more, with the new one everything.
        var next = MasterKey.Create();
        var newFile = Write(next, "new.key");
        var refused =
            (await MigratorAsync(database, $"keys rotate --new-master-key {_directory.FullName}/none", (KeyFile, file))).Expect(ExitCodes.Refused);
        Assert.Contains("cannot be read", refused.Errors, StringComparison.Ordinal);
        refused = (await MigratorAsync(database, $"keys rotate --new-master-key {newFile}", (KeyFile, file))).Expect(ExitCodes.Refused);
        Assert.Contains(
            $"{newFile} ({next.Provider}) is neither that of Encryption:MasterKeyFile nor that of Encryption:PreviousMasterKeyFile", refused.Errors,
            StringComparison.Ordinal);
        (await MigratorAsync(database, "keys status", (KeyFile, file), (PreviousFile, newFile))).Expect(ExitCodes.Success);
        var rotated = (await MigratorAsync(database, $"keys rotate --new-master-key {newFile} --json", (KeyFile, newFile), (PreviousFile, file)))
            .Expect(ExitCodes.Success).Json;
        Assert.Equal((2, 2), (rotated.GetProperty("rotated").GetInt32(), rotated.GetProperty("keys").GetInt32()));
        Assert.Equal(
            0, (await MigratorAsync(database, $"keys rotate --new-master-key {newFile} --json", (KeyFile, newFile), (PreviousFile, file)))
                .Expect(ExitCodes.Success).Json.GetProperty("rotated").GetInt32());
        var wrong = (await MigratorAsync(database, "keys status", (KeyFile, file))).Expect(ExitCodes.Configuration);
        Assert.StartsWith(
            "migrator: Keys in _keyVault are encrypted with the master key local:k", wrong.Errors.Trim().Split('\n')[^1], StringComparison.Ordinal);
        var none = (await MigratorAsync(database, "up")).Expect(ExitCodes.Configuration);
        Assert.Contains("holds encrypted fields, and this program has no master key: set Encryption:MasterKeyFile", none.Errors, StringComparison.Ordinal);
        using (var encryption = new FieldEncryption(new MongoKeyVault(database), next))
        using (EncryptedDocuments.Use(encryption))
        {
            Assert.Single(await new PlatformDatabase(database).ForTenant(One).Customers.Find().ToListAsync(Token));
        }

        // One tenant's key is destroyed, when that is meant.
        refused = (await MigratorAsync(database, $"keys shred --tenant {One}", (KeyFile, newFile))).Expect(ExitCodes.Refused);
        Assert.Contains("1 customers.email", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("give --yes", refused.Errors, StringComparison.Ordinal);
        var audit = _directory.CreateSubdirectory("audit").FullName;
        var keys = _directory.CreateSubdirectory("audit-keys").FullName;
        var shred = (await MigratorAsync(
            database, $"keys shred --tenant {One} --yes", (KeyFile, newFile), ("Audit__Directory", audit), ("Audit__KeyDirectory", keys)))
            .Expect(ExitCodes.Success);
        Assert.Contains("60 s", shred.Output, StringComparison.Ordinal);
        Assert.Contains(
            Directory.EnumerateFiles(audit, "*", SearchOption.AllDirectories).SelectMany(File.ReadLines),
            line => line.Contains("keysShred", StringComparison.Ordinal) && line.Contains(One.ToString(), StringComparison.Ordinal));
        refused = (await MigratorAsync(database, $"keys shred --tenant {One} --yes", (KeyFile, newFile))).Expect(ExitCodes.Refused);
        Assert.Contains("has no key", refused.Errors, StringComparison.Ordinal);
        using (var fresh = new FieldEncryption(new MongoKeyVault(database), next))
        using (EncryptedDocuments.Use(fresh))
        {
            var platform = new PlatformDatabase(database);
            await Assert.ThrowsAsync<FieldEncryptionException>(() => platform.ForTenant(One).Customers.Find().ToListAsync(Token));
            Assert.Equal("bob", Assert.Single(await platform.ForTenant(Other).Customers.Find().ToListAsync(Token)).Name);
        }
    }

    [Fact]
    public async Task What_was_written_before_there_was_a_key_is_encrypted_by_a_command()
    {
        var (database, file) = (await MigratedAsync(), Write(_master, "master.key"));
        var customers = new PlatformDatabase(database).ForTenant(One).Customers;
        var ann = Customer(One, "ann");
        await customers.InsertAsync(ann, cancellationToken: Token);
        var refused = (await MigratorAsync(database, "keys encrypt")).Expect(ExitCodes.Refused);
        Assert.Contains("Encryption:MasterKeyFile is not set", refused.Errors, StringComparison.Ordinal);

        using var encryption = Encryption(database);
        using var use = EncryptedDocuments.Use(encryption);
        Assert.Equal(ann, await customers.Find(customers.With(each => each.Email, ann.Email)).SingleAsync(Token));
        foreach (var documents in (int[])[1, 0])
        {
            var report = (await MigratorAsync(database, "keys encrypt --json", (KeyFile, file))).Expect(ExitCodes.Success).Json;
            Assert.Equal(documents, report.GetProperty("documents").GetInt32());
        }

        Assert.Equal(
            1,
            await database.GetCollection<BsonDocument>(CollectionNames.Customers).CountDocumentsAsync(
                BsonDocument.Parse("{ email: { $type: 'binData' }, phone: { $type: 'binData' }, address: { $type: 'binData' } }"), cancellationToken: Token));
        Assert.Equal(ann, await customers.Find(customers.With(each => each.Email, ann.Email)).SingleAsync(Token));
    }

    [Fact]
    public async Task What_cannot_be_encrypted_is_named_and_the_other_collections_are_encrypted()
    {
        var (database, file) = (await MigratedAsync(), Write(_master, "master.key"));
        using var encryption = Encryption(database);
        var users = database.GetCollection<BsonDocument>(CollectionNames.Users);
        var samples = new DocumentSamples(CollectionCatalogue.Users, seed: 5);
        var plain = NewUser();
        await users.InsertOneAsync(plain, cancellationToken: Token);
        var encrypted = NewUser();
        encryption.Encrypt(EncryptedFields.Of(typeof(User)), encrypted);
        await users.InsertOneAsync(encrypted, cancellationToken: Token);
        await new PlatformDatabase(database).ForTenant(One).Customers.InsertAsync(Customer(One, "bob"), cancellationToken: Token);

        var refused = (await MigratorAsync(database, "keys encrypt", (KeyFile, file))).Expect(ExitCodes.Refused);
        Assert.Contains($"1 document of users could not be rewritten: _id {plain["_id"]} (", refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(plain, await users.Find(new BsonDocument("_id", plain["_id"])).SingleAsync(Token));
        Assert.Equal(
            1,
            await database.GetCollection<BsonDocument>(CollectionNames.Customers).CountDocumentsAsync(
                BsonDocument.Parse("{ email: { $type: 'binData' } }"), cancellationToken: Token));

        await users.DeleteOneAsync(new BsonDocument("_id", plain["_id"]), Token);
        (await MigratorAsync(database, "keys encrypt", (KeyFile, file))).Expect(ExitCodes.Success);

        BsonDocument NewUser()
        {
            var document = samples.Valid();
            (document["_id"], document["tenantId"], document["email"]) = (ObjectId.GenerateNewId(), One, $"ann.{Marker}@shop.example");
            return document;
        }
    }

    [Fact]
    public async Task A_damaged_key_is_named_by_the_command_that_rotates()
    {
        var (database, file) = (await MigratedAsync(), Write(_master, "master.key"));
        using (var encryption = Encryption(database))
        {
            await encryption.PrepareAsync(One, Token);
            await encryption.PrepareAsync(Other, Token);
        }

        var keys = database.GetCollection<BsonDocument>(CollectionNames.KeyVault);
        var named = new BsonDocument("keyAltNames", FieldEncryption.NameOf(Other));
        byte[] material = [.. (await keys.Find(named).SingleAsync(Token))["keyMaterial"].AsBsonBinaryData.Bytes];
        material[^1] ^= 1;
        await keys.UpdateOneAsync(named, new BsonDocument("$set", new BsonDocument("keyMaterial", new BsonBinaryData(material))), cancellationToken: Token);
        var newFile = Write(MasterKey.Create(), "new.key");
        var refused = (await MigratorAsync(database, $"keys rotate --new-master-key {newFile}", (KeyFile, newFile), (PreviousFile, file)))
            .Expect(ExitCodes.Refused);
        Assert.Contains($"The key tenant:{Other} of _keyVault cannot be used: ", refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_seeder_writes_encrypted_and_verifies_and_cleans_what_it_wrote()
    {
        var (database, file) = (await MigratedAsync(), Write(_master, "master.key"));
        (await SeederAsync(database, "run", file)).Expect(ExitCodes.Success);
        foreach (var collection in (CollectionDefinition[])[CollectionCatalogue.Users, CollectionCatalogue.Customers])
        {
            var documents = database.GetCollection<BsonDocument>(collection.Name);
            var all = await documents.CountDocumentsAsync(new BsonDocument(), cancellationToken: Token);
            Assert.True(all > 40);
            Assert.Equal(all, await documents.CountDocumentsAsync(BsonDocument.Parse("{ email: { $type: 'binData' } }"), cancellationToken: Token));
        }

        (await SeederAsync(database, "verify", file)).Expect(ExitCodes.Success);
        (await SeederAsync(database, "run", file)).Expect(ExitCodes.Success);
        var one = await database.GetCollection<BsonDocument>(CollectionNames.Users).Find(new BsonDocument()).FirstAsync(Token);
        var bytes = one["email"].AsBsonBinaryData.Bytes;
        bytes[^1] ^= 1;
        await database.GetCollection<BsonDocument>(CollectionNames.Users).UpdateOneAsync(
            new BsonDocument("_id", one["_id"]), new BsonDocument("$set", new BsonDocument("email", new BsonBinaryData(bytes, BsonBinarySubType.Encrypted))),
            cancellationToken: Token);
        var verified = (await SeederAsync(database, "verify", file)).Expect(ExitCodes.Refused);
        Assert.Contains($"users {one["_id"]} was changed", verified.Output, StringComparison.Ordinal);
        (await SeederAsync(database, "clean", file)).Expect(ExitCodes.Success);
        Assert.Equal(0, await database.GetCollection<BsonDocument>(CollectionNames.Users).CountDocumentsAsync(new BsonDocument(), cancellationToken: Token));
    }

    private static Customer Customer(ObjectId tenant, string name) => new()
    {
        Id = ObjectId.GenerateNewId(),
        TenantId = tenant,
        Email = $"{name}.{Marker}@shop.example",
        Name = name,
        Phone = $"+49 {Marker} {name}",
        Address = new Address { Street = Marker, City = $"{Marker} City", PostalCode = "53111", Country = "DE" },
        CreatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        UpdatedAt = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
    };

    private FieldEncryption Encryption(IMongoDatabase database) => new(new MongoKeyVault(database), _master);

    private string Write(MasterKey key, string name)
    {
        var file = Path.Combine(_directory.FullName, name);
        OwnerOnly.Write(file, key.ToText());
        return file;
    }

    private async Task<IMongoDatabase> MigratedAsync()
    {
        var database = server.NewDatabase();
        (await MigratorAsync(database, "up")).Expect(ExitCodes.Success);
        return database;
    }

    private Task<ProgramResult> MigratorAsync(IMongoDatabase database, string arguments, params (string Name, string? Value)[] settings) =>
        JobProgram.Migrator.RunAsync(server.ConnectionStringOf(database), arguments, Token, settings);

    private Task<ProgramResult> SeederAsync(IMongoDatabase database, string arguments, string file) =>
        JobProgram.Seeder.RunAsync(server.ConnectionStringOf(database), arguments, Token, (KeyFile, file));
}
