using System.Text;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using MongoDB.Driver;
using NSubstitute;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Platform.Data.Tenancy;
using Platform.Seeder.Generation;
using Platform.Tests.TestKit.Encryption;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Unit.Data.Encryption;

/// <summary>What is stored of personal data, and what can be read of it again.</summary>
public sealed class FieldEncryptionTests : IDisposable
{
    private const string Marker = "marker-7f3a";

    private static readonly ObjectId One = new("0000000000000000000000a1");
    private static readonly ObjectId Other = new("0000000000000000000000b2");
    private static readonly DateTime s_time = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private static readonly IReadOnlyList<EncryptedField> s_fields = EncryptedFields.Of(typeof(Customer));

    private readonly MemoryKeyVault _vault = new();
    private readonly MasterKey _master = MasterKey.Create();
    private readonly FieldEncryption _encryption;

    public FieldEncryptionTests()
    {
        _encryption = new(_vault, _master);
        _ = new PlatformDatabase(new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit"));
    }

    public void Dispose() => _encryption.Dispose();

    [Fact]
    public void What_is_encrypted_is_known()
    {
        Assert.Equal(
            [
                new("email", EncryptionKind.Deterministic, IsLowerCase: true), new("phone", EncryptionKind.Deterministic, IsLowerCase: false),
                new EncryptedField("address", EncryptionKind.Random, IsLowerCase: false),
            ],
            s_fields);
        Assert.Equal([new EncryptedField("email", EncryptionKind.Deterministic, IsLowerCase: true)], EncryptedFields.Of(typeof(User)));
        Assert.Equal(
            [CollectionNames.Users, CollectionNames.Customers],
            CollectionCatalogue.All.Where(collection => EncryptedFields.Of(collection.DocumentType).Count > 0).Select(collection => collection.Name));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void A_customer_is_stored_encrypted_and_read_as_it_was(bool hasPhone, bool hasAddress)
    {
        var customer = Customer(One, hasPhone, hasAddress);
        using var use = EncryptedDocuments.Use(_encryption);
        var bytes = customer.ToBson();
        Assert.DoesNotContain(Marker, Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        var stored = new RawBsonDocument(bytes);
        Assert.True(EncryptedField.IsEncrypted(stored["email"]));
        Assert.Equal(hasPhone, EncryptedField.IsEncrypted(stored.GetValue("phone", null)));
        Assert.Equal(hasPhone, stored.Contains("phone"));
        Assert.Equal(hasAddress, EncryptedField.IsEncrypted(stored.GetValue("address", null)));
        Assert.Equal(hasAddress, stored.Contains("address"));
        Assert.Equal(customer.Name, stored["name"]);
        Assert.Equal(customer, BsonSerializer.Deserialize<Customer>(bytes));
        Assert.Equal([FieldEncryption.NameOf(One)], _vault.Keys.Keys);

        // One that is plain still is read by the same program.
        using (EncryptedDocuments.Use(null))
        {
            bytes = customer.ToBson();
        }

        Assert.Contains(Marker, Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(customer, BsonSerializer.Deserialize<Customer>(bytes));
    }

    [Fact]
    public void Generated_documents_are_what_they_were()
    {
        using var use = EncryptedDocuments.Use(_encryption);
        var parts = SeedCollection.All(new SeedSize { Tenants = 3, Scale = 1 }).Where(part => EncryptedFields.Of(part.Definition.DocumentType).Count > 0);
        var count = 0;
        foreach (var part in parts)
        {
            foreach (var plain in PlainOf(part).Take(500))
            {
                var document = BsonSerializer.Deserialize(plain, part.Definition.DocumentType);
                var stored = document.ToBson(part.Definition.DocumentType);
                Assert.NotEqual(plain, stored);
                var read = BsonSerializer.Deserialize(stored, part.Definition.DocumentType);
                Assert.Equal(document, read);
                using (EncryptedDocuments.Use(null))
                {
                    Assert.Equal(plain, read.ToBson(part.Definition.DocumentType));
                }

                count++;
            }
        }

        Assert.True(count > 500, $"Only {count} documents were compared.");
        Assert.Equal(3, _vault.Keys.Count);
    }

    // Documents as rules allow them, with all kinds of characters, at all limits.
    [Fact]
    public void Generated_samples_are_what_they_were_to_the_byte()
    {
        for (var seed = 1; seed <= 2; seed++)
        {
            var samples = new DocumentSamples(CollectionCatalogue.Customers, seed);
            for (var i = 0; i < 300; i++)
            {
                var plain = samples.Valid();
                var changed = plain.DeepClone().AsBsonDocument;
                _encryption.Encrypt(s_fields, changed);
                Assert.True(EncryptedField.IsEncrypted(changed["email"]));
                Assert.Empty(CollectionCatalogue.Customers.Rules.Evaluate(changed));
                _encryption.Decrypt(s_fields, changed);
                Assert.True(plain.ToBson().AsSpan().SequenceEqual(changed.ToBson()), $"seed {seed}, document {i}: {plain}");
            }
        }
    }

    [Fact]
    public void Equal_texts_are_equal_within_a_tenant_alone_and_addresses_never()
    {
        BsonDocument Stored(ObjectId tenant)
        {
            using var use = EncryptedDocuments.Use(_encryption);
            return new RawBsonDocument(Customer(tenant).ToBson());
        }

        var (first, second, others) = (Stored(One), Stored(One), Stored(Other));
        Assert.Equal(first["email"], second["email"]);
        Assert.Equal(first["phone"], second["phone"]);
        Assert.NotEqual(first["address"], second["address"]);
        Assert.NotEqual(first["email"], others["email"]);
        Assert.NotEqual(first["phone"], others["phone"]);
    }

    [Fact]
    public void Every_changed_bit_is_noticed()
    {
        var stored = Encrypted(One);
        var random = new Random(7);
        foreach (var field in s_fields)
        {
            var bytes = stored[field.Name].AsBsonBinaryData.Bytes;
            for (var i = 0; i < 60; i++)
            {
                // The kind, the key and the type of the value as well.
                var at = i < 18 ? i : random.Next(bytes.Length);
                var changed = (byte[])bytes.Clone();
                changed[at] ^= (byte)(1 << random.Next(8));
                var document = stored.DeepClone().AsBsonDocument;
                document[field.Name] = new BsonBinaryData(changed, BsonBinarySubType.Encrypted);
                var exception = Assert.Throws<FieldEncryptionException>(() => _encryption.Decrypt(s_fields, document));
                Assert.StartsWith($"The field {field.Name} of the document ", exception.Message, StringComparison.Ordinal);
                Assert.Contains("changed", exception.Message, StringComparison.Ordinal);
            }

            foreach (var length in (int[])[0, 1, 17, 18, 30, bytes.Length - 1])
            {
                var document = stored.DeepClone().AsBsonDocument;
                document[field.Name] = new BsonBinaryData(bytes[..length], BsonBinarySubType.Encrypted);
                Assert.Throws<FieldEncryptionException>(() => _encryption.Decrypt(s_fields, document));
            }
        }
    }

    [Fact]
    public void A_field_of_another_tenant_is_refused()
    {
        var document = Encrypted(One);
        document["email"] = Encrypted(Other)["email"];
        Assert.Contains(
            "another tenant's", Assert.Throws<FieldEncryptionException>(() => _encryption.Decrypt(s_fields, document)).Message, StringComparison.Ordinal);
        document = Encrypted(One);
        document["tenantId"] = Other;
        Assert.Throws<FieldEncryptionException>(() => _encryption.Decrypt(s_fields, document));
        document.Remove("tenantId");
        Assert.Contains(
            "names no tenant", Assert.Throws<FieldEncryptionException>(() => _encryption.Decrypt(s_fields, document)).Message, StringComparison.Ordinal);
        Assert.Throws<FieldEncryptionException>(() => _encryption.Encrypt(s_fields, new BsonDocument("email", "a@b")));
    }

    [Fact]
    public async Task Another_master_key_or_none_is_told_in_a_sentence()
    {
        var stored = Encrypted(One).ToBson();
        using (EncryptedDocuments.Use(null))
        {
            Assert.Equal(
                "The field email of a document is encrypted, and this program has no master key: set Encryption:MasterKeyFile.",
                Assert.Throws<FieldEncryptionException>(() => BsonSerializer.Deserialize<Customer>(stored)).Message);
        }

        var wrong = MasterKey.Create();
        using var other = new FieldEncryption(_vault, wrong);
        using var use = EncryptedDocuments.Use(other);
        var sentence = $"Keys in _keyVault are encrypted with the master key {_master.Provider}, and Encryption:MasterKeyFile has {wrong.Provider}: "
            + "give the program the master key that it had before, or, after a rotation, the new one.";
        Assert.Equal(sentence, Assert.Throws<FieldEncryptionException>(() => BsonSerializer.Deserialize<Customer>(stored)).Message);
        Assert.Equal(sentence, Assert.Throws<FieldEncryptionException>(() => Customer(One).ToBson()).Message);
        Assert.Equal(sentence, (await Assert.ThrowsAsync<FieldEncryptionException>(() => other.PrepareAsync(One, Token))).Message);
        Assert.Equal(sentence, (await Assert.ThrowsAsync<FieldEncryptionException>(() => other.RequireUsableAsync(Token))).Message);
        await _encryption.RequireUsableAsync(Token);

        // A key whose material is another master key's, whatever it says of itself.
        var key = _vault.Keys.Values.Single().DeepClone().AsBsonDocument;
        key["masterKey"]["provider"] = wrong.Provider;
        _vault.Replace(key);
        Assert.Contains(
            "cannot be decrypted", Assert.Throws<FieldEncryptionException>(() => BsonSerializer.Deserialize<Customer>(stored)).Message,
            StringComparison.Ordinal);

        key["masterKey"] = new BsonDocument { { "provider", "aws" }, { "region", "eu-central-1" } };
        _vault.Replace(key);
        Assert.EndsWith(
            "by the provider aws: cloud KMS are not supported yet.",
            (await Assert.ThrowsAsync<FieldEncryptionException>(() => other.RequireUsableAsync(Token))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_programs_with_different_master_keys_the_first_that_makes_a_key_decides()
    {
        var wrong = MasterKey.Create();
        using var other = new FieldEncryption(_vault, wrong);
        // Both start, since there is no key yet.
        await _encryption.RequireUsableAsync(Token);
        await other.RequireUsableAsync(Token);
        Encrypted(One);

        var sentence = $"Keys in _keyVault are encrypted with the master key {_master.Provider}, and Encryption:MasterKeyFile has {wrong.Provider}: "
            + "give the program the master key that it had before, or, after a rotation, the new one.";
        Assert.Equal(sentence, (await Assert.ThrowsAsync<FieldEncryptionException>(() => other.PrepareAsync(Other, Token))).Message);
        Assert.Equal(sentence, Assert.Throws<FieldEncryptionException>(() => other.Encrypt(s_fields, Plain(Other))).Message);
        Assert.Equal([FieldEncryption.NameOf(One)], _vault.Keys.Keys);
        await _encryption.PrepareAsync(Other, Token);
        Assert.Equal(2, _vault.Keys.Count);
    }

    [Fact]
    public void After_a_rotation_the_new_master_key_alone_is_enough()
    {
        var (one, two) = (Encrypted(One), Encrypted(Other));
        var next = MasterKey.Create();
        using (var rotating = new FieldEncryption(_vault, next, [_master]))
        {
            foreach (var rewrapped in rotating.Rewrap([.. _vault.Keys.Values]))
            {
                var key = _vault.Keys.Values.Single(key => key["_id"] == rewrapped["_id"]).DeepClone().AsBsonDocument;
                _vault.Replace(key.Merge(rewrapped, overwriteExistingElements: true));
            }
        }

        Assert.Equal(2, _vault.Keys.Count);
        using var after = new FieldEncryption(_vault, next);
        foreach (var stored in (BsonDocument[])[one, two])
        {
            after.Decrypt(s_fields, stored);
            Assert.Equal($"{Marker}@shop.example", stored["email"]);
        }

        using var before = new FieldEncryption(_vault, _master);
        Assert.Throws<FieldEncryptionException>(() => before.Encrypt(s_fields, Plain(One)));
    }

    [Fact]
    public async Task A_damaged_key_is_told_in_a_sentence_that_names_it()
    {
        Encrypted(One);
        Encrypted(Other);
        var key = _vault.Keys[FieldEncryption.NameOf(Other)].DeepClone().AsBsonDocument;
        byte[] material = [.. key["keyMaterial"].AsBsonBinaryData.Bytes];
        material[^1] ^= 1;
        key["keyMaterial"] = new BsonBinaryData(material);
        _vault.Replace(key);

        using var rotating = new FieldEncryption(_vault, MasterKey.Create(), [_master]);
        Named(Assert.Throws<FieldEncryptionException>(() => rotating.Rewrap([.. _vault.Keys.Values])));
        Assert.Single(rotating.Rewrap([_vault.Keys[FieldEncryption.NameOf(One)]]));

        using var fresh = new FieldEncryption(_vault, _master);
        for (var i = 0; i < 2; i++)
        {
            Named(await Assert.ThrowsAsync<FieldEncryptionException>(() => fresh.PrepareAsync(Other, Token)));
        }

        Assert.Throws<FieldEncryptionException>(() => fresh.Encrypt(s_fields, Plain(Other)));

        static void Named(FieldEncryptionException exception)
        {
            Assert.StartsWith($"The key tenant:{Other} of _keyVault cannot be used: ", exception.Message, StringComparison.Ordinal);
            Assert.EndsWith(".", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_destroyed_key_leaves_one_tenant_unreadable_and_no_other()
    {
        var (one, two) = (Encrypted(One), Encrypted(Other));
        _vault.Destroy(One);
        using var fresh = new FieldEncryption(_vault, _master);
        Assert.Contains("it was destroyed", Assert.Throws<FieldEncryptionException>(() => fresh.Decrypt(s_fields, one)).Message, StringComparison.Ordinal);
        fresh.Decrypt(s_fields, two);
        Assert.Equal($"{Marker}@shop.example", two["email"]);

        // What is written of the tenant afterwards has a key of its own.
        var again = Plain(One);
        fresh.Encrypt(s_fields, again);
        fresh.Decrypt(s_fields, again);
        Assert.Equal(Plain(One), again);
        Assert.Throws<FieldEncryptionException>(() => fresh.Decrypt(s_fields, one.DeepClone().AsBsonDocument));
    }

    [Fact]
    public void A_program_that_runs_forgets_a_destroyed_key_within_a_minute()
    {
        var time = new FakeTimeProvider();
        using var encryption = new FieldEncryption(_vault, _master, time: time);
        var stored = Plain(One);
        encryption.Encrypt(s_fields, stored);
        var reads = _vault.Reads;
        _vault.Destroy(One);
        encryption.Decrypt(s_fields, stored.DeepClone().AsBsonDocument);
        Assert.Equal(reads, _vault.Reads);

        time.Advance(TimeSpan.FromSeconds(51));
        Assert.Throws<FieldEncryptionException>(() => encryption.Decrypt(s_fields, stored));
    }

    [Fact]
    public async Task Many_that_want_a_key_at_once_get_the_same_and_read_the_vault_no_more()
    {
        using var second = new FieldEncryption(_vault, _master);
        var stored = new BsonDocument[400];
        await Parallel.ForEachAsync(Enumerable.Range(0, stored.Length), Token, (number, _) =>
        {
            var document = Plain(number % 3 == 0 ? Other : One);
            (number % 2 == 0 ? second : _encryption).Encrypt(s_fields, document);
            stored[number] = document;
            return ValueTask.CompletedTask;
        });
        Assert.Equal(2, _vault.Keys.Count);
        Assert.Equal(2, stored.Select(document => document["email"]).Distinct().Count());
        await _encryption.PrepareAsync(One, Token);
        var reads = _vault.Reads;
        for (var i = 0; i < 100; i++)
        {
            await _encryption.PrepareAsync(One, Token);
            _encryption.Encrypt(s_fields, Plain(One));
        }

        Assert.Equal(reads, _vault.Reads);

        // What was prepared is not asked for again.
        using var third = new FieldEncryption(_vault, _master);
        await third.PrepareAsync(One, Token);
        reads = _vault.Reads;
        third.Encrypt(s_fields, Plain(One));
        Assert.Equal(reads, _vault.Reads);
    }

    [Fact]
    public void What_is_looked_for_is_compared_encrypted_and_anything_else_is_refused()
    {
        var customers = new PlatformDatabase(new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit")).ForTenant(One).Customers;
        var plain = customers.Find(customers.With(customer => customer.Email, " Ann@Shop.Example ")).ToString();
        Assert.Contains("\"email\" : \"ann@shop.example\"", plain, StringComparison.Ordinal);

        using var use = EncryptedDocuments.Use(_encryption);
        var email = EncryptedFields.Of(typeof(Customer))[0];

        // Who is looked for where nothing is encrypted yet does not get the tenant a key.
        plain = customers.Find(customers.With(customer => customer.Email, "ann@shop.example")).ToString();
        Assert.Contains("\"ann@shop.example\"", plain, StringComparison.Ordinal);
        Assert.Empty(_vault.Keys);

        Encrypted(One);
        var filter = customers.Find(customers.With(customer => customer.Email, "ANN@shop.example")).ToString();
        Assert.Contains(Convert.ToBase64String(_encryption.Encrypt(One, email, "ann@shop.example").Bytes), filter, StringComparison.Ordinal);
        Assert.Contains("ann@shop.example", filter, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => customers.With(customer => customer.Name, "Ann"));
        foreach (var other in (FilterDefinition<Customer>[])
        [
            Builders<Customer>.Filter.Eq(customer => customer.Email, "ann@shop.example"), Builders<Customer>.Filter.Where(customer => customer.Phone == "1"),
            BsonDocument.Parse("{ email: /^a/ }"), BsonDocument.Parse("{ $or: [{ name: 'a' }, { email: { $gt: 'a' } }] }"),
            BsonDocument.Parse("{ 'address.city': 'Bonn' }"), BsonDocument.Parse("{ email: { $in: ['a', 'b'] } }"),
            BsonDocument.Parse("{ $expr: { $eq: [{ $toLower: '$email' }, 'a'] } }"), BsonDocument.Parse("{ $expr: { $gt: ['$$ROOT.address.city', 'a'] } }"),
        ])
        {
            Assert.Contains("is stored encrypted", Assert.Throws<ArgumentException>(() => customers.Find(other)).Message, StringComparison.Ordinal);
        }

        customers.Find(BsonDocument.Parse("{ phone: { $exists: true }, address: null, name: 'a' }"));
    }

    [Fact]
    public async Task A_query_cannot_sort_by_an_encrypted_field()
    {
        var settings = new MongoClientSettings { Server = new("127.0.0.1", 1), ServerSelectionTimeout = TimeSpan.FromMilliseconds(10) };
        var customers = new PlatformDatabase(new MongoClient(settings).GetDatabase("unit")).ForTenant(One).Customers;
        Func<IFindFluent<Customer, Customer>>[] refused =
        [
            () => customers.Find().SortBy(customer => customer.Email), () => customers.Find().SortByDescending(customer => customer.Phone),
            () => customers.Find().Sort(BsonDocument.Parse("{ 'address.city': 1 }")).Limit(1),
            () => customers.Find().SortBy(customer => customer.Name).ThenBy(customer => customer.Email).Skip(1),
            () => customers.Find(options: new FindOptions()).Sort(Builders<Customer>.Sort.Ascending(customer => customer.Email)),
        ];
        foreach (var query in refused)
        {
            // Nothing is encrypted: the server is asked, which is away.
            await Assert.ThrowsAsync<TimeoutException>(() => query().ToListAsync(Token));
        }

        using var use = EncryptedDocuments.Use(_encryption);
        foreach (var query in refused)
        {
            foreach (var run in (Func<Task>[])[() => query().ToListAsync(Token), () => query().Project(customer => customer.Name).FirstOrDefaultAsync(Token)])
            {
                var exception = await Assert.ThrowsAsync<ArgumentException>(run);
                Assert.Matches("^A query cannot sort by (email|phone|address.city), which is stored encrypted\\.$", exception.Message);
            }

            Assert.Throws<ArgumentException>(() => query().FirstOrDefault(Token));
        }

        await Assert.ThrowsAsync<TimeoutException>(() => customers.Find().SortBy(customer => customer.Name).ThenBy(customer => customer.Id).ToListAsync(Token));
    }

    [Theory]
    [InlineData("{ $match: { email: 'a@b' } }", false)]
    [InlineData("{ $match: { $expr: { $eq: ['$phone', '1'] } } }", false)]
    [InlineData("{ $sort: { name: 1, email: 1 } }", false)]
    [InlineData("{ $sort: { 'address.city': 1 } }", false)]
    [InlineData("{ $group: { _id: '$address.country', count: { $sum: 1 } } }", false)]
    [InlineData("{ $group: { _id: null, last: { $max: '$$ROOT.email' } } }", false)]
    [InlineData("{ $match: { phone: { $exists: true }, name: '$email' } }", true)]
    [InlineData("{ $sort: { name: 1, emails: 1 } }", true)]
    [InlineData("{ $group: { _id: '$name', email: { $sum: 1 }, of: { $first: { $literal: '$email' } } } }", true)]
    public async Task An_aggregation_cannot_compare_sort_or_group_by_an_encrypted_field(string stage, bool isTaken)
    {
        var real = new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit").GetCollection<Customer>(CollectionNames.Customers);
        var collection = Substitute.For<IMongoCollection<Customer>>();
        collection.DocumentSerializer.Returns(real.DocumentSerializer);
        collection.Settings.Returns(real.Settings);
        var customers = new TenantCollection<Customer>(collection, CollectionCatalogue.Customers, One);
        var pipeline = new BsonDocumentStagePipelineDefinition<Customer, BsonDocument>([BsonDocument.Parse(stage)]);
        await customers.AggregateAsync(pipeline, cancellationToken: Token);

        using var use = EncryptedDocuments.Use(_encryption);
        var refused = await Record.ExceptionAsync(() => customers.AggregateAsync(pipeline, cancellationToken: Token));
        Assert.Equal(isTaken, refused is null);
        Assert.True(refused is null or ArgumentException, refused?.ToString());
    }

    [Fact]
    public async Task An_update_cannot_change_an_encrypted_field()
    {
        var customers = new PlatformDatabase(new MongoClient("mongodb://127.0.0.1:1").GetDatabase("unit")).ForTenant(One).Customers;
        var exception = await Assert.ThrowsAsync<ArgumentException>(() => customers.UpdateManyAsync(
            new BsonDocument(), Builders<Customer>.Update.Set(customer => customer.Email, "a@b"), cancellationToken: Token));
        Assert.Contains("stored encrypted", exception.Message, StringComparison.Ordinal);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static IEnumerable<byte[]> PlainOf(SeedCollection part)
    {
        using (EncryptedDocuments.Use(null))
        {
            return [.. part.Documents()];
        }
    }

    private static Customer Customer(ObjectId tenant, bool hasPhone = true, bool hasAddress = true) => new()
    {
        Id = new ObjectId("00000000000000000000c001"),
        TenantId = tenant,
        Email = $"{Marker}@shop.example",
        Name = "Ann",
        Phone = hasPhone ? $"+49 {Marker}" : null,
        Address = hasAddress ? new Address { Street = Marker, City = $"{Marker} City", PostalCode = "53111", Country = "DE" } : null,
        CreatedAt = s_time,
        UpdatedAt = s_time,
    };

    private static BsonDocument Plain(ObjectId tenant) => EncryptedDocuments.ToPlain(Customer(tenant));

    private BsonDocument Encrypted(ObjectId tenant)
    {
        var document = Plain(tenant);
        _encryption.Encrypt(s_fields, document);
        return document;
    }
}
