using MongoDB.Bson;
using Platform.Migrator.Transforms;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Transforms;

public sealed class ExactDocumentTests
{
    [Fact]
    public void A_document_that_is_read_is_written_again_to_the_byte()
    {
        const int Documents = 5000;
        var random = new RandomBson(28) { BeyondTrees = false, BeyondExpressions = false };
        var read = 0;
        for (var i = 0; i < Documents; i++)
        {
            var bytes = random.Document();
            using var raw = new RawBsonDocument(bytes);
            if (ExactDocument.Read(raw) is { } document)
            {
                Assert.Equal(bytes, document.ToBson());
                read++;
            }
        }

        // All but those with what the driver cannot hold, such as a scope of code with a zero below zero.
        Assert.InRange(read, Documents * 8 / 10, Documents);
    }

    [Fact]
    public void A_zero_below_zero_keeps_its_sign()
    {
        using var raw = new RawBsonDocument(new BsonDocument("v", new BsonArray { new BsonDouble(-0.0) }).ToBson());
        Assert.True(double.IsNegative(ExactDocument.Read(raw)!["v"][0].AsDouble));
    }

    [Theory]
    // { v: 1, v: 1 } and { v: "\xff" }
    [InlineData("13000000" + "107600" + "01000000" + "107600" + "01000000" + "00")]
    [InlineData("0E000000" + "027600" + "02000000" + "FF00" + "00")]
    public void One_that_cannot_be_written_again_as_it_was_is_none(string bytes)
    {
        using var raw = new RawBsonDocument(Convert.FromHexString(bytes));
        Assert.Null(ExactDocument.Read(raw));
    }
}
