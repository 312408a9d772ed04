namespace Platform.Data.Catalogue;

/// <summary>How many documents a query may read for those that it returns.</summary>
public enum QueryBound
{
    /// <summary>The index covers filter and sort: at most 1.5 documents are read for each one returned.</summary>
    Exact,

    /// <summary>The index leads to the documents; a rest of the filter is checked on those read.</summary>
    Filtered,

    /// <summary>All documents with the words that are searched are read, to find the best among them.</summary>
    Ranked,

    /// <summary>The index covers the filter, and all documents that it finds are read to be added up.</summary>
    Summed,
}
