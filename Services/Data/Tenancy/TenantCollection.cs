using System.Linq.Expressions;
using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Encryption;
using Platform.Data.Validation;
using Platform.Mongo.Connections;

namespace Platform.Data.Tenancy;

/// <summary>
/// One tenant's documents of a collection. Every operation carries the tenant, whatever filter it is given, so a document
/// of another tenant behaves as if it did not exist. What is read or changed is so in what is left of the caller's time (<see cref="MongoDeadline"/>).
/// </summary>
/// <typeparam name="TDocument">The type of the documents.</typeparam>
public sealed class TenantCollection<TDocument>
    where TDocument : class, ITenantOwned
{
    // Stages that read or write collections past the tenant's filter.
    private static readonly HashSet<string> s_otherCollectionStages =
        new(StringComparer.Ordinal) { "$lookup", "$graphLookup", "$unionWith", "$out", "$merge" };

    private const string Owner = "tenantId";

    private static readonly IReadOnlyList<EncryptedField> s_encrypted = EncryptedFields.Of(typeof(TDocument));

    private readonly CollectionDefinition<TDocument> _definition;
    private readonly IMongoCollection<TDocument> _collection;
    // Written out, as are the keys below: of an expression the driver would make a filter for each command anew.
    private readonly BsonDocument _ownership;

    internal TenantCollection(IMongoCollection<TDocument> collection, CollectionDefinition<TDocument> definition, ObjectId tenantId)
    {
        _definition = definition;
        _collection = collection;
        TenantId = tenantId;
        _ownership = new BsonDocument(Owner, tenantId);
    }

    /// <summary>The tenant whose documents these are.</summary>
    public ObjectId TenantId { get; }

    /// <summary>
    /// The same documents, read from the primary and only when a majority has them, whatever is configured: for reads that decide
    /// whether something happened.
    /// </summary>
    public TenantCollection<TDocument> Deciding =>
        new(_collection.WithReadPreference(ReadPreference.Primary).WithReadConcern(ReadConcern.Majority), _definition, TenantId);

    /// <summary>
    /// Which of the tenant's documents have a text in a member that is stored encrypted: the one way to look for such a member. What was not encrypted yet is
    /// found, too.
    /// </summary>
    /// <param name="member">The member: <c>customer => customer.Email</c>.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentException">It is no member that is encrypted so that equal texts are found.</exception>
    /// <exception cref="FieldEncryptionException">The tenant's key cannot be used.</exception>
    public FilterDefinition<TDocument> With(Expression<Func<TDocument, string?>> member, string text)
    {
        var name = new ExpressionFieldDefinition<TDocument, string?>(member).Render(RenderArgs()).FieldName;
        var field = s_encrypted.FirstOrDefault(field => field.Name == name && field.Kind == EncryptionKind.Deterministic)
            ?? throw new ArgumentException($"{name} is not encrypted so that equal texts are found.", nameof(member));
        var plain = field.Normalised(text);
        if (EncryptedDocuments.Current is not { } encryption)
        {
            return new BsonDocument(name, plain);
        }

        // A tenant without a key has nothing encrypted; a value of no key, which none is equal to, says that this was asked for here.
        var encrypted = encryption.EncryptToFind(TenantId, field, plain) ?? new BsonBinaryData([1, .. new byte[16], 2], BsonBinarySubType.Encrypted);
        return new BsonDocument(name, new BsonDocument("$in", new BsonArray { encrypted, plain }));
    }

    /// <summary>Starts a query.</summary>
    /// <param name="filter">Which of the tenant's documents; null for all.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="options">Options of the query.</param>
    /// <exception cref="ArgumentException">The filter compares what is stored encrypted; or, when the query is run, it sorts by that.</exception>
    public IFindFluent<TDocument, TDocument> Find(
        FilterDefinition<TDocument>? filter = null, IClientSessionHandle? session = null, FindOptions? options = null)
    {
        options ??= new FindOptions();
        options.MaxTime ??= MongoDeadline.Left;
        var query = session is null ? _collection.Find(Scoped(filter), options) : _collection.Find(session, Scoped(filter), options);
        return s_encrypted.Count > 0 && EncryptedDocuments.Current is not null
            ? new AnswerableFind<TDocument, TDocument>(query, s_encrypted, RenderArgs()) : query;
    }

    /// <summary>Reads one document by its key.</summary>
    /// <param name="id">The key.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <returns>The document, or null when the tenant has none with this key.</returns>
    public async Task<TDocument?> FindByIdAsync(ObjectId id, IClientSessionHandle? session = null, CancellationToken cancellationToken = default) =>
        await Find(ById(id), session).FirstOrDefaultAsync(cancellationToken);

    /// <summary>Counts documents by reading them or an index.</summary>
    /// <param name="filter">Which of the tenant's documents; null for all.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public Task<long> CountAsync(
        FilterDefinition<TDocument>? filter = null, IClientSessionHandle? session = null, CancellationToken cancellationToken = default) =>
        session is null
            ? _collection.CountDocumentsAsync(Scoped(filter), new CountOptions { MaxTime = MongoDeadline.Left }, cancellationToken)
            : _collection.CountDocumentsAsync(session, Scoped(filter), new CountOptions { MaxTime = MongoDeadline.Left }, cancellationToken);

    /// <summary>
    /// Runs an aggregation over the tenant's documents. A <c>$geoNear</c> stage, which must come first, gets the tenant into
    /// its query; else a <c>$match</c> on the tenant is put in front (text searches included, as part of one <c>$match</c>).
    /// </summary>
    /// <typeparam name="TResult">The type of the results.</typeparam>
    /// <param name="pipeline">The stages.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="ArgumentException">
    /// A stage reads or writes another collection, where the tenant would not hold; or it compares, sorts or groups by what is stored encrypted.
    /// </exception>
    public Task<IAsyncCursor<TResult>> AggregateAsync<TResult>(
        PipelineDefinition<TDocument, TResult> pipeline, IClientSessionHandle? session = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        var rendered = pipeline.Render(RenderArgs());
        var stages = rendered.Documents.Select(stage => stage.DeepClone().AsBsonDocument).ToList();
        foreach (var stage in stages)
        {
            RefuseOtherCollections(stage);
            RequireAnswerableStage(stage);
        }

        var ownership = _ownership;
        var first = stages.Count > 0 ? stages[0] : [];
        if (first.TryGetValue("$geoNear", out var near))
        {
            var query = near.AsBsonDocument.GetValue("query", new BsonDocument()).AsBsonDocument;
            near.AsBsonDocument["query"] = query.ElementCount == 0 ? ownership : And(ownership, query);
        }
        else if (first.TryGetValue("$match", out var match))
        {
            first["$match"] = And(ownership, match.AsBsonDocument);
        }
        else
        {
            stages.Insert(0, new BsonDocument("$match", ownership));
        }

        var scoped = new BsonDocumentStagePipelineDefinition<TDocument, TResult>(stages, rendered.OutputSerializer);
        var options = new AggregateOptions { MaxTime = MongoDeadline.Left };
        return session is null
            ? _collection.AggregateAsync(scoped, options, cancellationToken)
            : _collection.AggregateAsync(session, scoped, options, cancellationToken);
    }

    /// <summary>Writes a new document.</summary>
    /// <param name="document">The document; must belong to the tenant.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="InvalidOperationException">The document belongs to another tenant.</exception>
    /// <exception cref="DuplicateKeyException">A unique key is taken.</exception>
    /// <exception cref="DocumentRefusedException">The server refused the document because it breaks rules of the collection.</exception>
    public Task InsertAsync(TDocument document, IClientSessionHandle? session = null, CancellationToken cancellationToken = default)
    {
        RequireOwned(document);
        return WriteAsync([document], () => session is null
            ? _collection.InsertOneAsync(document, cancellationToken: cancellationToken)
            : _collection.InsertOneAsync(session, document, cancellationToken: cancellationToken));
    }

    /// <summary>Writes new documents, in order; stops at the first that is refused.</summary>
    /// <param name="documents">The documents; all must belong to the tenant.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="InvalidOperationException">A document belongs to another tenant; nothing was written.</exception>
    /// <exception cref="DuplicateKeyException">A unique key is taken.</exception>
    /// <exception cref="DocumentRefusedException">The server refused the document because it breaks rules of the collection.</exception>
    public Task InsertManyAsync(
        IReadOnlyCollection<TDocument> documents, IClientSessionHandle? session = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(documents);
        foreach (var document in documents)
        {
            RequireOwned(document);
        }

        return WriteAsync(documents, () => session is null
            ? _collection.InsertManyAsync(documents, cancellationToken: cancellationToken)
            : _collection.InsertManyAsync(session, documents, cancellationToken: cancellationToken));
    }

    /// <summary>Replaces a document by one with the same key and the same values in the shard key, which say on which shard it is.</summary>
    /// <param name="document">The new document; must belong to the tenant.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>Whether the tenant had such a document; not when one has the key and other values in the shard key.</returns>
    /// <exception cref="DuplicateKeyException">A unique key is taken.</exception>
    /// <exception cref="DocumentRefusedException">The server refused the document because it breaks rules of the collection.</exception>
    /// <exception cref="InvalidOperationException">The document belongs to another tenant.</exception>
    public async Task<bool> ReplaceAsync(TDocument document, IClientSessionHandle? session = null, CancellationToken cancellationToken = default)
    {
        RequireOwned(document);
        var filter = InPlaceOf(document);
        var result = await WriteAsync([document], () => session is null
            ? _collection.ReplaceOneAsync(filter, document, cancellationToken: cancellationToken)
            : _collection.ReplaceOneAsync(session, filter, document, cancellationToken: cancellationToken));
        return result.MatchedCount > 0;
    }

    /// <summary>Changes the first document that matches.</summary>
    /// <param name="filter">Which of the tenant's documents: by its key, or by all of the shard key.</param>
    /// <param name="update">What to change; update operators, not a pipeline.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="ArgumentException">The update names a field of the shard key or what another member is computed from, or is a pipeline.</exception>
    /// <exception cref="DuplicateKeyException">A unique key is taken.</exception>
    /// <exception cref="DocumentRefusedException">The server refused the document because it breaks rules of the collection.</exception>
    public Task<UpdateResult> UpdateOneAsync(
        FilterDefinition<TDocument> filter,
        UpdateDefinition<TDocument> update,
        IClientSessionHandle? session = null,
        CancellationToken cancellationToken = default)
    {
        RequireKept(update);
        var one = One(filter, orById: true);
        return WriteAsync([], () => session is null
            ? _collection.UpdateOneAsync(one, update, cancellationToken: cancellationToken)
            : _collection.UpdateOneAsync(session, one, update, cancellationToken: cancellationToken));
    }

    /// <summary>Changes all documents that match.</summary>
    /// <param name="filter">Which of the tenant's documents.</param>
    /// <param name="update">What to change; update operators, not a pipeline.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="ArgumentException">The update names a field of the shard key or what another member is computed from, or is a pipeline.</exception>
    /// <exception cref="DuplicateKeyException">A unique key is taken.</exception>
    /// <exception cref="DocumentRefusedException">The server refused the document because it breaks rules of the collection.</exception>
    public Task<UpdateResult> UpdateManyAsync(
        FilterDefinition<TDocument> filter,
        UpdateDefinition<TDocument> update,
        IClientSessionHandle? session = null,
        CancellationToken cancellationToken = default)
    {
        RequireKept(update);
        return WriteAsync([], () => session is null
            ? _collection.UpdateManyAsync(Scoped(filter), update, cancellationToken: cancellationToken)
            : _collection.UpdateManyAsync(session, Scoped(filter), update, cancellationToken: cancellationToken));
    }

    /// <summary>Changes the first document that matches, and returns it as it is afterwards.</summary>
    /// <param name="filter">Which of the tenant's documents: by all of the shard key.</param>
    /// <param name="update">What to change; update operators, not a pipeline.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>The changed document, or null when none matched.</returns>
    /// <exception cref="ArgumentException">The update names a field of the shard key or what another member is computed from, or is a pipeline.</exception>
    /// <exception cref="DuplicateKeyException">A unique key is taken.</exception>
    /// <exception cref="DocumentRefusedException">The server refused the document because it breaks rules of the collection.</exception>
    public async Task<TDocument?> FindOneAndUpdateAsync(
        FilterDefinition<TDocument> filter,
        UpdateDefinition<TDocument> update,
        IClientSessionHandle? session = null,
        CancellationToken cancellationToken = default)
    {
        RequireKept(update);
        var one = One(filter, orById: false);
        var options = new FindOneAndUpdateOptions<TDocument> { ReturnDocument = ReturnDocument.After, MaxTime = MongoDeadline.Left };
        return await WriteAsync([], () => session is null
            ? _collection.FindOneAndUpdateAsync(one, update, options, cancellationToken)
            : _collection.FindOneAndUpdateAsync(session, one, update, options, cancellationToken));
    }

    /// <summary>Deletes a document by its key.</summary>
    /// <param name="id">The key.</param>
    /// <param name="session">The session, with its transaction when one is open; null for none.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns>Whether the tenant had a document with this key.</returns>
    public async Task<bool> DeleteByIdAsync(ObjectId id, IClientSessionHandle? session = null, CancellationToken cancellationToken = default)
    {
        var filter = Scoped(ById(id));
        var result = session is null
            ? await _collection.DeleteOneAsync(filter, cancellationToken)
            : await _collection.DeleteOneAsync(session, filter, cancellationToken: cancellationToken);
        return result.DeletedCount > 0;
    }

    private static BsonDocument ById(ObjectId id) => new("_id", id);

    private static BsonDocument And(BsonDocument left, BsonDocument right) => new("$and", new BsonArray { left, right });

    private static void RefuseOtherCollections(BsonValue value)
    {
        switch (value)
        {
            case BsonDocument document:
                foreach (var element in document)
                {
                    if (s_otherCollectionStages.Contains(element.Name))
                    {
                        throw new ArgumentException(
                            $"An aggregation for one tenant cannot use {element.Name}: the other collection's documents would not be limited to the tenant.");
                    }

                    RefuseOtherCollections(element.Value);
                }

                break;
            case BsonArray array:
                foreach (var item in array)
                {
                    RefuseOtherCollections(item);
                }

                break;
        }
    }

    private Task<bool> WriteAsync(IReadOnlyCollection<TDocument> documents, Func<Task> write) => WriteAsync(
        documents,
        async () =>
        {
            await write();
            return true;
        });

    // The documents, when they are known, say what is wrong with them where the server does not.
    private async Task<TResult> WriteAsync<TResult>(IReadOnlyCollection<TDocument> documents, Func<Task<TResult>> write)
    {
        var encryption = s_encrypted.Count == 0 ? null : EncryptedDocuments.Current;
        if (documents.Count > 0 && encryption is not null)
        {
            await encryption.PrepareAsync(TenantId);
        }

        if (EngineSupport.WhyUnchecked(_definition) is not null || encryption is not null)
        {
            // No server does it, or it would not see what is encrypted.
            foreach (var document in documents)
            {
                if (_definition.Rules.Evaluate(EncryptedDocuments.ToPlain(document)) is { Count: > 0 } violations)
                {
                    throw new DocumentRefusedException(_definition.Name, violations);
                }
            }
        }

        try
        {
            return await write();
        }
        catch (MongoException exception)
            when (ServerRefusal.Read(exception, _definition, PlainAt) is { } refusal)
        {
            throw refusal;
        }

        BsonDocument? PlainAt(int index) => documents.ElementAtOrDefault(index) is { } document ? EncryptedDocuments.ToPlain(document) : null;
    }

    private FilterDefinition<TDocument> Scoped(FilterDefinition<TDocument>? filter) =>
        filter is null ? _ownership : Builders<TDocument>.Filter.And(_ownership, Answerable(filter));

    // A text that is looked for in an encrypted field is not found, and nobody would know why.
    private FilterDefinition<TDocument> Answerable(FilterDefinition<TDocument> filter)
    {
        if (s_encrypted.Count > 0 && EncryptedDocuments.Current is not null)
        {
            RequireAnswerable(filter.Render(RenderArgs()));
        }

        return filter;
    }

    private static void RequireAnswerableStage(BsonDocument stage)
    {
        if (s_encrypted.Count == 0 || EncryptedDocuments.Current is null)
        {
            return;
        }

        if (stage.TryGetValue("$match", out var match))
        {
            RequireAnswerable(match);
        }

        var sorted = stage.TryGetValue("$sort", out var sort) && sort is BsonDocument order ? order.Names.Select(Encrypted).FirstOrDefault(IsFound) : null;
        var grouped = stage.TryGetValue("$group", out var group) ? MentionedIn(group) : null;
        if ((sorted ?? grouped) is { } field)
        {
            throw new ArgumentException($"An aggregation cannot sort or group by {field.Name}, which is stored encrypted.", nameof(stage));
        }
    }

    private static EncryptedField? Encrypted(string path) => s_encrypted.FirstOrDefault(field => field.Name == path.Split('.')[0]);

    private static bool IsFound(EncryptedField? field) => field is not null;

    // As '$email', '$address.city' or '$$ROOT.email'.
    private static EncryptedField? MentionedIn(BsonValue expression) => expression switch
    {
        BsonString { Value: ['$', '$', ..] text } => text.Split('.') is ["$$ROOT" or "$$CURRENT", var name, ..] ? Encrypted(name) : null,
        BsonString { Value: ['$', .. var path] } => Encrypted(path),
        BsonDocument document => document.Where(element => element.Name != "$literal").Select(element => MentionedIn(element.Value)).FirstOrDefault(IsFound),
        BsonArray array => array.Select(MentionedIn).FirstOrDefault(IsFound),
        _ => null,
    };

    private static void RequireAnswerable(BsonValue filter)
    {
        foreach (var (name, value) in filter switch
        {
            BsonDocument document => document.Select(element => (element.Name, element.Value)),
            BsonArray array => array.Select(item => ("", item)),
            _ => [],
        })
        {
            if (name == "$expr" && MentionedIn(value) is { } mentioned)
            {
                throw new ArgumentException($"A filter cannot compare {mentioned.Name}, which is stored encrypted.", nameof(filter));
            }

            if (Encrypted(name) is not { } field)
            {
                RequireAnswerable(value);
            }
            else if (name.Contains('.') || !(value is BsonDocument comparison ? comparison.All(IsAnswerable) : IsComparable(value)))
            {
                throw new ArgumentException(
                    $"A filter cannot compare {name}, which is stored encrypted{(field.Kind == EncryptionKind.Deterministic ? ": use With" : "")}.",
                    nameof(filter));
            }
        }
    }

    private static bool IsAnswerable(BsonElement comparison) => comparison.Name switch
    {
        "$exists" or "$type" => true,
        "$eq" or "$ne" => IsComparable(comparison.Value),
        "$in" => comparison.Value is BsonArray values && values.Any(IsComparable),
        _ => false,
    };

    private static bool IsComparable(BsonValue value) => value.IsBsonNull || EncryptedField.IsEncrypted(value);

    private FilterDefinition<TDocument> InPlaceOf(TDocument document)
    {
        var stored = EncryptedDocuments.ToPlain(document);
        return new BsonDocument(new[] { "_id", Owner }.Union(_definition.ShardKey.Fields).Select(stored.GetElement));
    }

    // Some servers cannot look for the one document on several shards, and those that can ask all of them first. findAndModify is
    // the stricter one: before MongoDB 7.1 it takes no _id in place of the shard key.
    private FilterDefinition<TDocument> One(FilterDefinition<TDocument> filter, bool orById)
    {
        var scoped = Scoped(filter).Render(RenderArgs());
        var key = _definition.ShardKey;
        return key.TargetOf(scoped) == ShardTarget.One || orById && key.FindsOne(scoped)
            ? scoped
            : throw new ArgumentException(
                $"A change of one document has to say which by {(orById ? "_id, or by " : "")}all of the shard key ({string.Join(", ", key.Fields)}): "
                    + $"{scoped}.", nameof(filter));
    }

    private RenderArgs<TDocument> RenderArgs() => new(_collection.DocumentSerializer, _collection.Settings.SerializerRegistry);

    private void RequireOwned(TDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (document.TenantId != TenantId)
        {
            throw new InvalidOperationException($"A {typeof(TDocument).Name} of tenant {document.TenantId} cannot be written for tenant {TenantId}.");
        }
    }

    private void RequireKept(UpdateDefinition<TDocument> update)
    {
        ArgumentNullException.ThrowIfNull(update);
        if (update.Render(RenderArgs()) is not BsonDocument operators)
        {
            throw new ArgumentException("An update for one tenant cannot be a pipeline: what it does to the tenant cannot be seen.", nameof(update));
        }

        var changes = operators.SelectMany(operation => operation.Value.AsBsonDocument.SelectMany(
            change => operation.Name == "$rename" ? new[] { change.Name, change.Value.ToString()! } : [change.Name]));
        var names = changes.Select(name => name.Split('.')[0]).ToList();
        if (names.Contains(Owner))
        {
            throw new ArgumentException("An update cannot change which tenant a document belongs to.", nameof(update));
        }

        if (names.FirstOrDefault(_definition.ShardKey.Fields.Contains) is { } kept)
        {
            throw new ArgumentException(
                $"An update cannot change {kept}: it belongs to the shard key, which says on which shard the document is.", nameof(update));
        }

        if (names.FirstOrDefault(name => s_encrypted.Any(field => field.Name == name)) is { } encrypted)
        {
            throw new ArgumentException($"An update cannot change {encrypted}, which is stored encrypted; write the whole document instead.", nameof(update));
        }

        if (names.FirstOrDefault(_definition.Computed.ContainsKey) is { } changed)
        {
            var why = _definition.Computed[changed] == changed ? "is made from others" : $"{_definition.Computed[changed]} is made from";
            throw new ArgumentException($"An update cannot change {changed}, which {why}; write the whole document instead.", nameof(update));
        }
    }
}
