-- Tables are filled from the current artefacts; views answer the studies' questions.
-- Keys: (study, network) for judges, (image_set, image_id) below them; (study, experiment, role,
-- image_id) for pictures, of which paintings have a painter, photos a subject, and no experiment.

CREATE TABLE studies (study VARCHAR, title VARCHAR, source VARCHAR);
CREATE TABLE networks (
    -- home: the study that defines the painter, whose published figures stand beside ours
    study VARCHAR, network VARCHAR, painter VARCHAR, home VARCHAR, title VARCHAR, painted BOOLEAN,
    architecture VARCHAR, protocol VARCHAR, weights VARCHAR, rounds VARCHAR, equalize VARCHAR,
    color VARCHAR,
    -- whether its verdicts count, "yes" or "no: why", and by what: likeness/classify/trust.py
    calibration_error DOUBLE, probe_p DOUBLE, counts VARCHAR
);
CREATE TABLE labels (painter VARCHAR, label INTEGER, name VARCHAR);
CREATE TABLE image_sets (
    painter VARCHAR, image_set VARCHAR, name VARCHAR, truth INTEGER,
    -- whose pictures these are: partition of the experiment, and their role there
    made_by VARCHAR, role VARCHAR,
    -- whether another set went through a model's autoencoder to become this one
    rebuilt BOOLEAN
);
CREATE TABLE experiments (
    study VARCHAR, experiment VARCHAR, title VARCHAR, method VARCHAR, base VARCHAR, steps INTEGER,
    guidance_scale DOUBLE, subject VARCHAR, painter VARCHAR, split VARCHAR,
    -- of edits: drawn, or the name of a bench
    sources VARCHAR
);
CREATE TABLE images (
    study VARCHAR, experiment VARCHAR, role VARCHAR, painter VARCHAR, subject VARCHAR,
    image_id VARCHAR, file VARCHAR, path VARCHAR, sha256 VARCHAR, width INTEGER, height INTEGER, source VARCHAR,
    image_set VARCHAR, label INTEGER, split VARCHAR, fold INTEGER, "group" BIGINT, base VARCHAR,
    model VARCHAR, prompt VARCHAR, seed BIGINT, guidance_scale DOUBLE, status VARCHAR,
    reason VARCHAR, age DOUBLE, not_read VARCHAR,
    -- of edits: image_id of the source and its words; tables compare one strength of each editor
    source_id VARCHAR, source_prompt VARCHAR, pair_id VARCHAR, kind VARCHAR, edit VARCHAR, strength DOUBLE, compared BOOLEAN
);
-- Sets are the roles of an experiment's pictures; train: photos learned from; held: held back; set:
-- a source and its edits together.
CREATE TABLE pair_scores (
    study VARCHAR, experiment VARCHAR, metric VARCHAR, protocol VARCHAR, passport_id VARCHAR,
    set_a VARCHAR, set_b VARCHAR, image_a VARCHAR, image_b VARCHAR, value DOUBLE, status VARCHAR
);
CREATE TABLE pair_means (
    study VARCHAR, experiment VARCHAR, metric VARCHAR, protocol VARCHAR, passport_id VARCHAR,
    set_a VARCHAR, set_b VARCHAR, part VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, n INTEGER,
    left_out INTEGER
);
CREATE TABLE image_scores (
    study VARCHAR, experiment VARCHAR, metric VARCHAR, protocol VARCHAR, passport_id VARCHAR,
    image_id VARCHAR, pair_id VARCHAR, strength DOUBLE, value DOUBLE, status VARCHAR,
    photo_id VARCHAR -- the photo that a picture is nearest to, of those it was learned from
);
CREATE TABLE image_means (
    study VARCHAR, experiment VARCHAR, metric VARCHAR, protocol VARCHAR, passport_id VARCHAR,
    role VARCHAR, part VARCHAR, strength DOUBLE, compared BOOLEAN, value DOUBLE, low DOUBLE,
    high DOUBLE, n INTEGER, left_out INTEGER
);
-- Two editors on the same pairs: mean of a - b, and the share of sources that a wins.
CREATE TABLE edit_comparisons (
    study VARCHAR, metric VARCHAR, protocol VARCHAR, passport_id VARCHAR, experiment_a VARCHAR,
    experiment_b VARCHAR, difference DOUBLE, low DOUBLE, high DOUBLE, n INTEGER, wins DOUBLE,
    wins_low DOUBLE, wins_high DOUBLE, ties INTEGER, left_out INTEGER
);
CREATE TABLE passports (
    passport_id VARCHAR, metric VARCHAR, protocol VARCHAR, model VARCHAR, revision VARCHAR,
    preprocessing VARCHAR, libraries VARCHAR
);
CREATE TABLE verdicts (
    study VARCHAR, network VARCHAR, protocol VARCHAR, round VARCHAR, image_set VARCHAR,
    image_id VARCHAR, truth INTEGER, predicted INTEGER, label VARCHAR, probabilities DOUBLE[],
    confidence DOUBLE, straddles BOOLEAN
);
CREATE TABLE published_rates (
    study VARCHAR, architecture VARCHAR, measure VARCHAR, value DOUBLE, n INTEGER
);
CREATE TABLE published_verdicts (
    study VARCHAR, architecture VARCHAR, image_set VARCHAR, counts INTEGER[]
);
CREATE TABLE published_pairs (
    study VARCHAR, set_a VARCHAR, set_b VARCHAR, ssim DOUBLE, verification DOUBLE
);
CREATE TABLE published_sets (study VARCHAR, experiment VARCHAR, ssim DOUBLE);
CREATE TABLE published_editors (study VARCHAR, method VARCHAR, metric VARCHAR, value DOUBLE);
-- study: that runs the partition, or whose person or painter it is. seconds: of the work when it was
-- done; spent_seconds: what the last run took to have it, which after a cache hit is next to nothing.
CREATE TABLE ledger (
    asset VARCHAR, "partition" VARCHAR, study VARCHAR, fingerprint VARCHAR, cache_hit BOOLEAN,
    seconds DOUBLE, gpu_seconds DOUBLE, spent_seconds DOUBLE, peak_memory_mb DOUBLE, bytes BIGINT,
    updated VARCHAR
);

-- Wilson's 95 % interval of k successes among n (Wilson 1927); NULL where n is 0. At 0 and n the
-- bound is exact: rounding must not print it as -0.000.
CREATE MACRO wilson_low(k, n) AS
    CASE WHEN n = 0 THEN NULL WHEN k = 0 THEN 0.0::DOUBLE ELSE
        (k + 1.9207294103470618) / (n + 3.8414588206941236)
        - 1.959963984540054 / (n + 3.8414588206941236)
          * sqrt(k * (n - k) / n::DOUBLE + 0.9603647051735309) END;
CREATE MACRO wilson_high(k, n) AS
    CASE WHEN n = 0 THEN NULL WHEN k = n THEN 1.0::DOUBLE ELSE
        (k + 1.9207294103470618) / (n + 3.8414588206941236)
        + 1.959963984540054 / (n + 3.8414588206941236)
          * sqrt(k * (n - k) / n::DOUBLE + 0.9603647051735309) END;

-- Half of the 95 % interval of a mean of n values with this standard deviation, by Student's t: of
-- a few values a normal or a bootstrap interval is far too short. From 11 degrees of freedom on by
-- the expansion of its quantile (Abramowitz and Stegun 26.7.5), right to three digits.
CREATE MACRO t975(df) AS
    CASE WHEN df <= 10
        THEN [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281][df]
        ELSE 1.959964 + 2.372271 / df + 2.822502 / df ** 2 + 2.555852 / df ** 3 END;
CREATE MACRO t_half(deviation, n) AS t975(n - 1) * deviation / sqrt(n);
-- A bound of a measure that is never below this and never above 1; NULL stays NULL.
CREATE MACRO held_in(bound, low) AS
    CASE WHEN bound IS NOT NULL THEN least(greatest(bound, low), 1) END;

-- What others printed, an architecture a column.
CREATE VIEW published_accuracy AS
SELECT study, measure,
       max(value) FILTER (architecture = 'mobilenet') AS published_mobilenet,
       max(value) FILTER (architecture = 'efficientnet_b7') AS published_efficientnet_b7,
       max(value) FILTER (architecture = 'efficientnet_v2l') AS published_efficientnet_v2l,
       max(n) AS published_n
FROM published_rates GROUP BY ALL;
CREATE VIEW published_counts AS
SELECT study, image_set,
       any_value(counts) FILTER (architecture = 'mobilenet') AS published_mobilenet,
       any_value(counts) FILTER (architecture = 'efficientnet_b7') AS published_efficientnet_b7,
       any_value(counts) FILTER (architecture = 'efficientnet_v2l') AS published_efficientnet_v2l
FROM published_verdicts GROUP BY ALL;

-- Accuracy and recalls with Wilson intervals, a row per judge and measure. `apart` leaves out the
-- pictures whose near duplicates the judge learned from; `probe_value` is the best shortcut probe's.
CREATE VIEW cezanne_accuracy AS
WITH known AS (
    SELECT *, truth = predicted AS hit FROM verdicts
    WHERE image_set IN ('valid', 'test', 'folds') AND truth IS NOT NULL
),
measured AS (
    SELECT study, network, image_set AS measure, count(*) AS n, count(*) FILTER (hit) AS k,
           count(*) FILTER (NOT straddles) AS n_apart,
           count(*) FILTER (hit AND NOT straddles) AS k_apart
    FROM known GROUP BY ALL
    UNION ALL
    SELECT study, network, 'recall_' || truth || '_' || image_set, count(*),
           count(*) FILTER (hit), count(*) FILTER (NOT straddles),
           count(*) FILTER (hit AND NOT straddles)
    FROM known GROUP BY study, network, truth, image_set
),
rates AS (
    SELECT *, k / n::DOUBLE AS value, wilson_low(k, n) AS low, wilson_high(k, n) AS high,
           k_apart / nullif(n_apart, 0)::DOUBLE AS apart
    FROM measured
),
probes AS (
    SELECT n.painter, r.measure, max(r.value) AS probe_value
    FROM networks n JOIN rates r USING (study, network) WHERE n.architecture = 'probe' GROUP BY ALL
),
-- what was measured, and what was published and has no data here
measures AS (
    SELECT study, network, measure FROM rates
    UNION
    SELECT n.study, n.network, p.measure
    FROM networks n JOIN published_accuracy p ON p.study = n.home
    WHERE n.rounds = 'split' AND n.architecture <> 'probe'
        AND (n.study, n.network) IN (SELECT (study, network) FROM rates)
)
SELECT n.study, n.network, n.painter, n.title, n.painted, n.architecture, n.protocol, n.weights,
       n.equalize, n.rounds, n.calibration_error, n.probe_p, n.counts, m.measure,
       r.value, coalesce(r.n, 0) AS n, r.low, r.high, r.apart,
       coalesce(r.n_apart, 0) AS n_apart, q.probe_value,
       p.published_mobilenet, p.published_efficientnet_b7, p.published_efficientnet_v2l,
       p.published_n
FROM networks n
JOIN measures m USING (study, network)
LEFT JOIN rates r USING (study, network, measure)
LEFT JOIN probes q ON q.painter = n.painter AND q.measure = m.measure
LEFT JOIN published_accuracy p ON p.study = n.home AND p.measure = m.measure
ORDER BY n.study, n.painter, m.measure, n.network;

-- The same pictures judged by a network and by a shortcut probe: how often only one was right. Those
-- of which near duplicates were learned are left out: they may be known by heart.
CREATE VIEW against_probe AS
SELECT n.study, n.network, p.network AS probe, n.equalize, v.image_set AS measure, count(*) AS n,
       avg((v.truth = v.predicted)::INTEGER) AS value,
       avg((w.truth = w.predicted)::INTEGER) AS probe_value,
       count(*) FILTER (v.truth = v.predicted AND w.truth <> w.predicted) AS only_network,
       count(*) FILTER (v.truth <> v.predicted AND w.truth = w.predicted) AS only_probe
FROM networks n
JOIN verdicts v USING (study, network)
JOIN networks p ON p.painter = n.painter AND p.study = n.study AND p.rounds = n.rounds
    AND p.architecture = 'probe'
JOIN verdicts w ON w.study = p.study AND w.network = p.network AND w.image_set = v.image_set
    AND w.image_id = v.image_id
WHERE n.architecture <> 'probe' AND v.image_set IN ('valid', 'test', 'folds')
    AND NOT coalesce(v.straddles, false)
GROUP BY ALL ORDER BY n.study, n.equalize, measure;

-- Verdicts on unseen sets: how often each class was named (in order of the labels), and the share
-- taken for class 0, each with its Wilson interval; where the truth is known, the share right. A set
-- that is not there has n = 0: no data. `verdicts_count`: of the judge, whether to believe it. `twins`:
-- pictures of the set of which the judge learned a near duplicate.
CREATE VIEW cezanne_verdicts AS
WITH cells AS (
    SELECT n.study, n.network, n.painter, n.home, n.architecture, n.equalize,
           n.counts AS verdicts_count, s.image_set, s.name, s.truth, s.made_by, s.role, l.label,
           count(v.image_id) AS k, count(v.image_id) FILTER (v.straddles) AS twins
    FROM networks n
    JOIN image_sets s USING (painter)
    JOIN labels l USING (painter)
    LEFT JOIN verdicts v ON v.study = n.study AND v.network = n.network
        AND v.image_set = s.image_set AND v.predicted = l.label
    WHERE n.rounds = 'split' AND (n.study, n.network) IN (SELECT (study, network) FROM verdicts)
    GROUP BY ALL
),
rows AS (
    SELECT study, network, painter, home, architecture, equalize, verdicts_count, image_set, name,
           truth, made_by, role, sum(k)::INTEGER AS n, sum(twins)::INTEGER AS twins,
           list(label ORDER BY label) AS labels, list(k ORDER BY label) AS counts,
           coalesce(sum(k) FILTER (label = 0), 0)::INTEGER AS authentic,
           (sum(k) FILTER (label = truth))::INTEGER AS hits
    FROM cells GROUP BY ALL
)
SELECT r.*, authentic / nullif(n, 0)::DOUBLE AS share_authentic,
       wilson_low(authentic, n) AS low, wilson_high(authentic, n) AS high,
       list_transform(counts, lambda k: wilson_low(k, n)) AS lows,
       list_transform(counts, lambda k: wilson_high(k, n)) AS highs,
       hits / nullif(n, 0)::DOUBLE AS share_right,
       wilson_low(hits, n) AS right_low, wilson_high(hits, n) AS right_high,
       p.published_mobilenet, p.published_efficientnet_b7, p.published_efficientnet_v2l
FROM rows r
LEFT JOIN published_counts p ON p.study = r.home AND p.image_set = r.image_set
ORDER BY r.study, r.painter, r.image_set, r.network;

-- A row per experiment about a painter and role of its pictures: how near they are to the painter's
-- own and to what was asked, with intervals; the role painter has the upper line of reconstruction.
-- Where an experiment has roles of these names, its reconstruction and its editability are those of
-- their pictures, in every row. `editability_of_mean`: by the other reading, the cosine of the mean.
-- `seconds`: what the learning took.
CREATE VIEW after_painters AS
WITH measured AS (
    SELECT study, experiment, role,
           max(value) FILTER (metric = 'reconstruction') AS reconstruction,
           max(low) FILTER (metric = 'reconstruction') AS reconstruction_low,
           max(high) FILTER (metric = 'reconstruction') AS reconstruction_high,
           max(n) FILTER (metric = 'reconstruction') AS reconstruction_n,
           max(value) FILTER (metric = 'editability') AS editability,
           max(low) FILTER (metric = 'editability') AS editability_low,
           max(high) FILTER (metric = 'editability') AS editability_high,
           max(n) FILTER (metric = 'editability') AS editability_n,
           max(value) FILTER (metric = 'editability_of_mean') AS editability_of_mean,
           max(value) FILTER (metric = 'painter_read') AS read,
           max(low) FILTER (metric = 'painter_read') AS read_low,
           max(high) FILTER (metric = 'painter_read') AS read_high,
           max(n) FILTER (metric = 'painter_read') AS read_n,
           max(value) FILTER (metric = 'kid') AS kid, max(low) FILTER (metric = 'kid') AS kid_low,
           max(high) FILTER (metric = 'kid') AS kid_high, max(n) FILTER (metric = 'kid') AS kid_n,
           max(value) FILTER (metric = 'fid') AS fid, max(low) FILTER (metric = 'fid') AS fid_low,
           max(high) FILTER (metric = 'fid') AS fid_high, max(n) FILTER (metric = 'fid') AS fid_n,
           max(value) FILTER (metric = 'ssim') AS ssim, max(low) FILTER (metric = 'ssim') AS ssim_low,
           max(high) FILTER (metric = 'ssim') AS ssim_high, max(n) FILTER (metric = 'ssim') AS ssim_n
    FROM (
        SELECT * REPLACE (
            CASE WHEN protocol = 'cosine of mean' THEN 'editability_of_mean' ELSE metric END AS metric
        )
        FROM image_means WHERE part = 'all'
    )
    GROUP BY ALL
),
roles AS (
    SELECT study, experiment, role, role <> 'painter' AND
               bool_or(role = 'reconstruction') OVER mine AS one_reconstruction,
           role <> 'painter' AND bool_or(role = 'editability') OVER mine AS one_editability
    FROM measured WINDOW mine AS (PARTITION BY study, experiment)
),
learned AS (
    SELECT "partition", sum(seconds) AS seconds FROM ledger WHERE asset = 'models/finetuned'
    GROUP BY ALL
)
SELECT e.title, e.method, e.painter, m.study, m.experiment, m.role,
       r.reconstruction, r.reconstruction_low, r.reconstruction_high, r.reconstruction_n,
       t.editability, t.editability_low, t.editability_high, t.editability_n,
       t.editability_of_mean,
       m.* EXCLUDE (
           study, experiment, role, reconstruction, reconstruction_low, reconstruction_high,
           reconstruction_n, editability, editability_low, editability_high, editability_n,
           editability_of_mean
       ), l.seconds
FROM experiments e
JOIN measured m USING (study, experiment)
JOIN roles s ON s.study = m.study AND s.experiment = m.experiment AND s.role = m.role
JOIN measured r ON r.study = m.study AND r.experiment = m.experiment
    AND r.role = CASE WHEN s.one_reconstruction THEN 'reconstruction' ELSE m.role END
JOIN measured t ON t.study = m.study AND t.experiment = m.experiment
    AND t.role = CASE WHEN s.one_editability THEN 'editability' ELSE m.role END
LEFT JOIN learned l ON l."partition" = e.study || '__' || e.experiment
WHERE e.painter IS NOT NULL
ORDER BY e.study, e.experiment, m.role;

-- What could at best be said of pictures after a painter: the share of his own new pictures, and of
-- these through a model's autoencoder, that the reader and every judge (of a study) take for his.
CREATE VIEW painter_ceilings AS
WITH own AS (
    SELECT painter, image_set, name, coalesce(rebuilt, false) AS rebuilt FROM image_sets
    WHERE truth = 0 AND made_by IS NULL
)
SELECT o.*, NULL::VARCHAR AS study, 'reader' AS judge, any_value(m.value) AS share, any_value(m.low) AS low,
       any_value(m.high) AS high, any_value(m.n) AS n
FROM own o
JOIN experiments e USING (painter)
JOIN image_means m ON m.study = e.study AND m.experiment = e.experiment
    AND m.role = 'painter' AND m.metric = 'painter_read' AND m.part = o.image_set
GROUP BY ALL
UNION ALL
SELECT o.*, v.study, v.network, v.share_authentic, v.low, v.high, v.n
FROM own o JOIN cezanne_verdicts v USING (painter, image_set) WHERE v.n > 0
ORDER BY ALL;

-- A row per experiment, of its accepted pictures; where there are none yet, n = 0: no data.
-- `rejected` counts those that came out in one colour or could not be made.
-- `not_whole` counts prompts of which the model did not read everything.
CREATE VIEW experiments_made AS
SELECT e.study, e.experiment, e.title, e.method, e.base, any_value(i.model) AS model, e.steps,
       e.guidance_scale, count(DISTINCT i.prompt) FILTER (i.status = 'accepted') AS prompts,
       count(i.image_id) FILTER (i.status = 'accepted') AS n,
       count(*) FILTER (i.status = 'rejected') AS rejected,
       count(DISTINCT i.prompt) FILTER (i.status = 'accepted' AND i.not_read IS NOT NULL) AS not_whole
FROM experiments e
LEFT JOIN images i ON i.study = e.study AND i.experiment = e.experiment
GROUP BY e.study, e.experiment, e.title, e.method, e.base, e.steps, e.guidance_scale
ORDER BY e.study, e.experiment;

-- A row per experiment about a person and two sets of pictures: SSIM by both protocols, verified
-- pairs, each with its interval over pictures and its number of pairs, published figures beside.
-- And where a method taught several models of a person, a row without an experiment: means over
-- these models, as the published figures are, with intervals over models; its n count models.
CREATE VIEW time_machine AS
WITH measured AS (
    SELECT study, experiment, set_a, set_b, part,
           max(value) FILTER (metric = 'ssim' AND protocol = 'original') AS ssim_original,
           max(low) FILTER (metric = 'ssim' AND protocol = 'original') AS ssim_original_low,
           max(high) FILTER (metric = 'ssim' AND protocol = 'original') AS ssim_original_high,
           max(value) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim,
           max(low) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_low,
           max(high) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_high,
           max(n) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_n,
           max(value) FILTER (metric = 'verification') AS verified,
           max(low) FILTER (metric = 'verification') AS verified_low,
           max(high) FILTER (metric = 'verification') AS verified_high,
           max(n) FILTER (metric = 'verification') AS verified_n,
           max(left_out) FILTER (metric = 'verification') AS without_face,
           -- as the published figures count: a pair without a face is one that does not verify
           coalesce(verified, 0) * verified_n / nullif(verified_n + without_face, 0)
               AS verified_original
    FROM pair_means GROUP BY ALL
),
of_each AS (
    SELECT e.study, e.experiment, e.title, e.subject, e.method, e.split,
           m.* EXCLUDE (study, experiment), NULL::INTEGER AS models
    FROM experiments e JOIN measured m USING (study, experiment)
    WHERE e.subject IS NOT NULL
),
of_models AS (
    SELECT study, subject, method, set_a, set_b, part, count(*) AS models,
           avg(ssim_original) AS ssim_original,
           t_half(stddev_samp(ssim_original), count(ssim_original)) AS ssim_original_half,
           avg(ssim) AS ssim, t_half(stddev_samp(ssim), count(ssim)) AS ssim_half,
           count(ssim) AS ssim_n,
           avg(verified) AS verified,
           t_half(stddev_samp(verified), count(verified)) AS verified_half,
           count(verified) AS verified_n, sum(without_face) AS without_face,
           avg(verified_original) AS verified_original
    FROM of_each WHERE method <> 'base'
        AND NOT (set_a = 'held' AND set_b = 'held')  -- the same photos, whatever the model
    GROUP BY ALL HAVING count(*) > 1
),
together AS (
    SELECT * FROM of_each
    UNION ALL BY NAME
    SELECT study, 'mean of models' AS title, subject, method, set_a, set_b, part, models,
           ssim_original, held_in(ssim_original - ssim_original_half, -1) AS ssim_original_low,
           held_in(ssim_original + ssim_original_half, -1) AS ssim_original_high,
           ssim, held_in(ssim - ssim_half, -1) AS ssim_low,
           held_in(ssim + ssim_half, -1) AS ssim_high, ssim_n,
           verified, held_in(verified - verified_half, 0) AS verified_low,
           held_in(verified + verified_half, 0) AS verified_high, verified_n, without_face,
           verified_original
    FROM of_models
)
SELECT m.*, p.ssim AS published_ssim, p.verification AS published_verified
FROM together m
LEFT JOIN published_pairs p ON p.study = m.study AND p.set_a = m.set_a AND p.set_b = m.set_b
    AND m.part = 'all'
ORDER BY m.study, m.part <> 'all', m.set_a, m.set_b, m.experiment, m.method, m.part;

-- A row per experiment that edits what its model draws: mean SSIM over the pairs of each source with
-- its edits, by both protocols, beside what was published; how many swaps the reader reads as they
-- were asked (of sources that it reads rightly), and how much of the rest stays. A row without
-- figures has not been made: no data.
CREATE VIEW prompt_to_prompt AS
WITH sets AS (
    SELECT study, experiment,
           max(value) FILTER (protocol = 'original_256') AS ssim_original,
           max(low) FILTER (protocol = 'original_256') AS ssim_original_low,
           max(high) FILTER (protocol = 'original_256') AS ssim_original_high,
           max(value) FILTER (protocol = 'corrected') AS ssim,
           max(low) FILTER (protocol = 'corrected') AS ssim_low,
           max(high) FILTER (protocol = 'corrected') AS ssim_high,
           max(n) FILTER (protocol = 'corrected') AS n
    FROM pair_means WHERE set_a = 'set' AND set_b = 'set' AND metric = 'ssim' AND part = 'all'
    GROUP BY ALL
),
known AS (
    SELECT study, experiment,
           max(value) FILTER (metric = 'asked' AND part = 'swap') AS swapped,
           max(low) FILTER (metric = 'asked' AND part = 'swap') AS swapped_low,
           max(high) FILTER (metric = 'asked' AND part = 'swap') AS swapped_high,
           max(n) FILTER (metric = 'asked' AND part = 'swap') AS swaps,
           max(value) FILTER (metric = 'kept' AND part = 'all') AS kept,
           max(low) FILTER (metric = 'kept' AND part = 'all') AS kept_low,
           max(high) FILTER (metric = 'kept' AND part = 'all') AS kept_high,
           max(n) FILTER (metric = 'kept' AND part = 'all') AS kept_n
    FROM image_means WHERE role = 'edit' AND compared GROUP BY ALL
),
made AS (
    SELECT study, experiment, count(*) FILTER (role = 'source') AS sources,
           count(*) FILTER (role = 'edit' AND compared) AS edits
    FROM images WHERE status = 'accepted' AND experiment IS NOT NULL GROUP BY ALL
)
SELECT e.study, e.experiment, e.title, e.method, coalesce(i.sources, 0) AS sources,
       coalesce(i.edits, 0) AS edits, s.* EXCLUDE (study, experiment),
       k.* EXCLUDE (study, experiment), p.ssim AS published_ssim
FROM experiments e
LEFT JOIN sets s USING (study, experiment)
LEFT JOIN known k USING (study, experiment)
LEFT JOIN made i USING (study, experiment)
LEFT JOIN published_sets p USING (study, experiment)
WHERE e.sources = 'drawn'
ORDER BY e.study, e.experiment;

-- Which pairs an experiment edits: only editors of one population belong into one table or plot,
-- since means over different pairs would tell of the pairs.
CREATE VIEW edited_pairs AS
SELECT study, experiment, count(DISTINCT pair_id) AS pairs,
       md5(string_agg(DISTINCT pair_id, ' ' ORDER BY pair_id)) AS population
FROM images WHERE role = 'edit' AND kind IS DISTINCT FROM 'reweight' GROUP BY ALL;

-- A row per editor of a bench and measure, over the strength that is compared; what was published of
-- the same method and measure beside it. n counts sources (of asked: edits), left_out edits.
CREATE VIEW editing_bench AS
SELECT e.study, e.experiment, e.title, e.method, e.sources AS bench, d.population, d.pairs,
       m.metric, m.protocol, m.passport_id, m.strength, m.value, m.low, m.high, m.n, m.left_out,
       q.model, p.value AS published
FROM experiments e
JOIN image_means m USING (study, experiment)
JOIN edited_pairs d USING (study, experiment)
LEFT JOIN passports q USING (passport_id)
-- published CLIP scores are clamped cosines
LEFT JOIN published_editors p ON p.study = e.study AND p.method = e.method
    AND p.metric = m.metric AND (m.metric <> 'clip_score' OR m.protocol = 'clamped')
WHERE e.sources <> 'drawn' AND m.role = 'edit' AND m.part = 'all' AND m.compared
ORDER BY e.study, e.experiment, m.metric, m.protocol;

-- What an editor's knob does: each strength, asked against kept, over edits in other words. Only
-- experiments of one population, which edit the same pairs, belong into one plot, and only what was
-- measured alike (`_by`: its passport).
CREATE VIEW edit_curves AS
SELECT e.study, e.experiment, e.title, e.method, p.population, p.pairs, m.strength, m.compared,
       max(value) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim,
       max(low) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_low,
       max(high) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_high,
       max(n) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_n,
       max(passport_id) FILTER (metric = 'ssim' AND protocol = 'corrected') AS ssim_by,
       max(value) FILTER (metric = 'kept') AS kept,
       max(value) FILTER (metric = 'asked') AS asked,
       max(low) FILTER (metric = 'asked') AS asked_low,
       max(high) FILTER (metric = 'asked') AS asked_high,
       max(n) FILTER (metric = 'asked') AS asked_n,
       max(passport_id) FILTER (metric = 'asked') AS asked_by,
       max(value) FILTER (metric = 'directional') AS directional,
       max(low) FILTER (metric = 'directional') AS directional_low,
       max(high) FILTER (metric = 'directional') AS directional_high,
       max(n) FILTER (metric = 'directional') AS directional_n,
       max(passport_id) FILTER (metric = 'directional') AS directional_by,
       max(value) FILTER (metric = 'clip_score') AS clip_score,
       max(low) FILTER (metric = 'clip_score') AS clip_score_low,
       max(high) FILTER (metric = 'clip_score') AS clip_score_high,
       max(n) FILTER (metric = 'clip_score') AS clip_score_n,
       max(passport_id) FILTER (metric = 'clip_score') AS clip_score_by
FROM experiments e JOIN image_means m USING (study, experiment)
JOIN edited_pairs p USING (study, experiment)
WHERE e.sources IS NOT NULL AND m.role = 'edit' AND m.part = 'reworded'
GROUP BY ALL ORDER BY e.study, e.experiment, m.strength;

-- What each asset cost. Partitions share artefacts, such as the pictures of a class: each artefact
-- counts once. Without the report: its own size on its page would make it another page every time.
CREATE VIEW cost AS
SELECT asset, count(DISTINCT fingerprint) AS artefacts, sum(seconds) FILTER (first) AS seconds,
       sum(gpu_seconds) FILTER (first) AS gpu_seconds, max(peak_memory_mb) AS peak_memory_mb,
       sum(bytes) FILTER (first) AS bytes, count(*) FILTER (cache_hit) AS hits,
       count(*) FILTER (NOT cache_hit) AS misses, sum(spent_seconds) AS spent_seconds
FROM (
    SELECT *, row_number() OVER (PARTITION BY asset, fingerprint ORDER BY "partition") = 1 AS first
    FROM ledger WHERE NOT starts_with(asset, 'report/')
)
GROUP BY asset ORDER BY seconds DESC, asset;

-- What each experiment, judge, person and painter would cost by itself, with what it shares.
CREATE VIEW cost_by_key AS
SELECT study, "partition", count(*) AS steps, sum(seconds) AS seconds,
       sum(gpu_seconds) AS gpu_seconds, max(peak_memory_mb) AS peak_memory_mb, sum(bytes) AS bytes,
       count(*) FILTER (cache_hit) AS hits, count(*) FILTER (NOT cache_hit) AS misses,
       sum(spent_seconds) AS spent_seconds
FROM ledger WHERE "partition" IS NOT NULL AND study IS NOT NULL
GROUP BY ALL ORDER BY study, seconds DESC, "partition";
