using MongoDB.Bson;
using Platform.Migrator.Indexes;
using Xunit;

namespace Platform.Tests.Unit.Migrator.Indexes;

public sealed class CollectionStatisticsTests
{
    [Fact]
    public void What_shards_report_is_added_up()
    {
        var statistics = CollectionStatistics.Of(
        [
            BsonDocument.Parse("{ shard: 'a', storageStats: { count: 3, size: 300, indexSizes: { _id_: 10, x: 20 } } }"),
            BsonDocument.Parse("{ shard: 'b', storageStats: { count: NumberLong(4), size: 400.0, indexSizes: { _id_: 1 } } }"),
        ]);
        Assert.Equal((7, 700), (statistics.Documents, statistics.DataBytes));
        Assert.Equal(new Dictionary<string, long> { ["_id_"] = 11, ["x"] = 20 }, statistics.IndexBytes);
    }

    [Fact]
    public void A_time_series_has_sizes_but_no_count_of_its_documents()
    {
        // As a mongod answers: buckets are what it counts.
        var statistics = CollectionStatistics.Of([BsonDocument.Parse("""
            { ns: 'platform.saleEvents', storageStats: { size: 47, timeseries: { bucketsNs: 'platform.system.buckets.saleEvents', bucketCount: 1,
              avgBucketSize: 47, numMeasurementsCommitted: 2 }, storageSize: 4096, nindexes: 1, indexSizes: { tenantId_1_at_1: 4096 }, totalIndexSize: 4096 } }
            """)]);
        Assert.Null(statistics.Documents);
        Assert.Equal(47, statistics.DataBytes);
        Assert.Equal(4096, statistics.IndexBytes["tenantId_1_at_1"]);
    }
}
