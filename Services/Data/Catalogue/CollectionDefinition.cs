using MongoDB.Bson;
using Platform.Data.Documents;

namespace Platform.Data.Catalogue;

/// <summary>One collection, declared once: everything that creates, checks, documents or tests it starts from here.</summary>
public abstract class CollectionDefinition
{
    private readonly Lazy<BsonDocument> _validator;

    private protected CollectionDefinition(Type documentType)
    {
        DocumentType = documentType;
        _validator = new Lazy<BsonDocument>(() =>
        {
            var validator = new BsonDocument("$jsonSchema", JsonSchemaGenerator.Generate(documentType));
            if (Rules is not null)
            {
                validator.Merge(Rules);
            }

            return validator;
        });
    }

    /// <summary>The collection's name.</summary>
    public required string Name { get; init; }

    /// <summary>What the collection holds, in one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>The type of its documents.</summary>
    public Type DocumentType { get; }

    /// <summary>The indexes besides the one on <c>_id</c>.</summary>
    public required IReadOnlyList<IndexDefinition> Indexes { get; init; }

    /// <summary>Rules that span several fields, as a query; null for none.</summary>
    public BsonDocument? Rules { get; init; }

    /// <summary>The fields that a sharded cluster distributes the documents by.</summary>
    public required IReadOnlyList<string> ShardKey { get; init; }

    /// <summary>Whether each document belongs to one tenant.</summary>
    public bool IsTenantOwned => typeof(ITenantOwned).IsAssignableFrom(DocumentType);

    /// <summary>What the server checks each written document against: a <c>$jsonSchema</c> and <see cref="Rules"/>.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/schema-validation/"/></remarks>
    public BsonDocument Validator => _validator.Value;
}
